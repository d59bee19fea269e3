"""The leases of workers on Redis."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from rollgraph.adapters.redis import scripts
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
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

    def __init__(self, redis: Client, lasts: float = LASTS, keys: Keys = KEYS) -> None:
        self._redis = redis
        self._lasts = str(round(lasts * 1000))
        self._keys = keys
        self._join = Script(redis, scripts.JOIN)
        self._hold = Script(redis, scripts.HOLD)
        self._release = Script(redis, scripts.RELEASE)

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
            found = await self._each(self._hold, told)
        return {
            spoke: Standing(holder.decode(), weight(known))
            for spoke, (holder, known) in found.items()
        }

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """See `ports.Leases`."""
        with translated("end of leases"):
            await self._each(self._release, {spoke: [worker] for spoke in spokes})

    async def leave(self, worker: str) -> None:
        """See `ports.Leases`."""
        with translated("end of a worker"):
            await cast("Any", self._redis.zrem(self._keys.workers, worker))

    async def _each(self, script: Script, told: Mapping[str, list[str]]) -> dict[str, Any]:
        """Runs a script for each spoke."""
        return await script.each(
            {spoke: (self._keys.feed(spoke), of) for spoke, of in told.items()}
        )
