"""The leases of workers on Redis."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from rollgraph.adapters.redis import scripts
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.core.assignment import weight
from rollgraph.ports import Standing

# Seconds that a lease lasts, and after which a silent worker counts as dead. Renewed each second,
# it survives a slow Redis, and a dead worker's spokes are watched again within 15 s.
LASTS = 8.0
KEYS = Keys()


class RedisLeases:
    """A `ports.Leases` on Redis 7 or later; a lease is part of what a spoke has there.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        lasts: Seconds that a lease lasts, and that a worker may be silent.
        keys: Where things are.
    """

    def __init__(self, redis: Redis, lasts: float = LASTS, keys: Keys = KEYS) -> None:
        self._redis = redis
        self._lasts = str(round(lasts * 1000))
        self._keys = keys
        self._join = redis.register_script(scripts.JOIN)
        self._hold = redis.register_script(scripts.HOLD)
        self._release = redis.register_script(scripts.RELEASE)

    async def join(self, worker: str) -> Collection[str]:
        """See `ports.Leases`."""
        with translated("heartbeat"):
            found = await self._join([self._keys.workers], [worker, self._lasts])
        return {name.decode() for name in found}

    async def hold(
        self, worker: str, spokes: Collection[str], wanted: Collection[str]
    ) -> Mapping[str, Standing]:
        """See `ports.Leases`."""
        told = {spoke: [worker, "1" if spoke in wanted else "0", self._lasts] for spoke in spokes}
        with translated("leases"):
            found = await self._each(self._hold.sha, scripts.HOLD, told)
        return {
            spoke: Standing(holder.decode(), weight(known))
            for spoke, (holder, known) in zip(told, found, strict=True)
        }

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """See `ports.Leases`."""
        with translated("end of leases"):
            told = {spoke: [worker] for spoke in spokes}
            await self._each(self._release.sha, scripts.RELEASE, told)

    async def leave(self, worker: str) -> None:
        """See `ports.Leases`."""
        with translated("end of a worker"):
            await cast("Any", self._redis.zrem(self._keys.workers, worker))

    async def _each(self, sha: str, script: str, told: Mapping[str, list[str]]) -> list[Any]:
        """Runs a script for each spoke, in one round trip."""
        if not told:
            return []
        try:
            return await self._pipelined(sha, told)
        except NoScriptError:  # a server that was started anew
            await self._redis.script_load(script)
            return await self._pipelined(sha, told)

    async def _pipelined(self, sha: str, told: Mapping[str, list[str]]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for spoke, arguments in told.items():
                pipe.evalsha(sha, 3, *self._keys.feed(spoke), *arguments)
            return await pipe.execute()
