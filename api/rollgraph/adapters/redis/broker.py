"""The broker on Redis."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis

from rollgraph.adapters.redis import frames, scripts
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.hearing import Hearing
from rollgraph.adapters.redis.keys import Keys
from rollgraph.core.errors import BrokerError, FencedError
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot
from rollgraph.ports import Feed

# Facts that a spoke's log keeps: minutes of a busy one, and some 8 MiB at the most.
LOG = 5_000
# Facts that one script writes; each takes some 10 us, in which Redis does nothing else.
MOST_AT_ONCE = 200
# Fields that one HSCAN reads.
SCAN = 500
# How often a snapshot is begun anew because its epoch ended meanwhile.
TRIES = 3
KEYS = Keys()


class RedisBroker:
    """A `ports.Broker` on Redis 7 or later.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        log: Facts of a spoke that its log keeps, at least.
        keys: Where things are.
    """

    def __init__(self, redis: Redis, log: int = LOG, keys: Keys = KEYS) -> None:
        self._redis = redis
        self._keys = keys
        self._log_length = log
        self._claim = redis.register_script(scripts.CLAIM)
        self._append = redis.register_script(scripts.APPEND)

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """See `ports.Broker`."""
        with translated(f"claim of {cluster}"):
            server = str((await self._redis.info("server"))["run_id"])
            told = [server, secrets.token_hex(8), holder]
            found = await self._claim(self._keys.feed(cluster), told)
            if not found:
                raise FencedError(f"claim of {cluster}: its lease is not {holder or 'anybody'}'s")
            await cast("Any", self._redis.sadd(self._keys.feeds, cluster))
            fence, position = int(found[0]), Position(found[1].decode(), int(found[2]))
            feed = _RedisFeed(self, cluster, fence, position)
            return feed, Snapshot(position, await self._scan(cluster))

    async def drop(self, cluster: str) -> None:
        """See `ports.Broker`."""
        with translated(f"drop of {cluster}"):
            await cast("Any", self._redis.srem(self._keys.feeds, cluster))
            await self._redis.delete(*self._keys.feed(cluster))
            channel = self._keys.channel(cluster)
            await self._redis.spublish(channel, b"")

    async def positions(self) -> Mapping[str, Position]:
        """See `ports.Broker`."""
        with translated("positions"):
            names = sorted(name.decode() for name in await self._members())
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hmget(self._keys.meta(name), "epoch", "seq")
                found = await pipe.execute()
        pairs = zip(names, found, strict=True)
        return {name: Position(epoch.decode(), int(seq)) for name, (epoch, seq) in pairs if epoch}

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """See `ports.Broker`."""
        with translated(f"snapshot of {cluster}"):
            for _ in range(TRIES):
                before = await self._position(cluster)
                if before is None:
                    return None
                entries = await self._scan(cluster)
                after = await self._position(cluster)
                if after is not None and after.epoch == before.epoch:
                    return Snapshot(before, entries)
        raise BrokerError(f"snapshot of {cluster}: its epoch ended {TRIES} times meanwhile")

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """See `ports.Broker`."""
        with translated(f"log of {cluster}"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hmget(self._keys.meta(cluster), "epoch", "seq")
                pipe.xrange(self._keys.log(cluster), min=f"0-{after.seq + 1}")
                (epoch, seq), found = await pipe.execute()
        if epoch is None or epoch.decode() != after.epoch or len(found) != int(seq) - after.seq:
            return None
        return [_logged(id_, fields) for id_, fields in found]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[Batch | None]]:
        """See `ports.Broker`."""
        hearing = Hearing(self._redis, self._keys)
        try:
            yield hearing
        finally:
            await hearing.close()

    async def write(
        self, cluster: str, fence: int, at: Position, facts: Sequence[tuple[str, bytes, bool]]
    ) -> bool:
        """Writes some facts after a position, in one step; False if the feed is another's."""
        channel = self._keys.channel(cluster)
        told = [(field, body) for field, body, _ in facts]
        message = frames.message(cluster, at.epoch, at.seq + 1, told)
        head: list[str | bytes]
        head = [str(fence), at.epoch, str(at.seq), str(self._log_length), channel, message]
        rest = [part for field, body, gone in facts for part in (field, body, "1" if gone else "0")]
        with translated(f"facts of {cluster}"):
            return bool(await self._append(self._keys.feed(cluster), [*head, *rest]))

    async def _members(self) -> set[bytes]:
        return cast("set[bytes]", await cast("Any", self._redis.smembers(self._keys.feeds)))

    async def _position(self, cluster: str) -> Position | None:
        found = await cast("Any", self._redis.hmget(self._keys.meta(cluster), ["epoch", "seq"]))
        return Position(found[0].decode(), int(found[1])) if found[0] is not None else None

    async def _scan(self, cluster: str) -> list[Entry]:
        """All that is known. A field may come twice, and then the later is the newer."""
        fields = self._redis.hscan_iter(self._keys.state(cluster), count=SCAN)
        found = {field: body async for field, body in fields}
        return [_held(field, body) for field, body in found.items()]


class _RedisFeed:
    """A `ports.Feed` on Redis."""

    def __init__(self, broker: RedisBroker, cluster: str, fence: int, position: Position) -> None:
        self._broker = broker
        self._cluster = cluster
        self._fence = fence
        self._position = position

    @property
    def position(self) -> Position:
        """See `ports.Feed`."""
        return self._position

    async def append(self, facts: Sequence[Fact]) -> Position:
        """See `ports.Feed`; of each `MOST_AT_ONCE` facts all or none are written."""
        framed = [
            (frames.field_of(fact.subject), frames.frame(fact), fact.value is None)
            for fact in facts
        ]
        for start in range(0, len(framed), MOST_AT_ONCE):
            part = framed[start : start + MOST_AT_ONCE]
            if not await self._broker.write(self._cluster, self._fence, self._position, part):
                raise FencedError(f"{self._cluster}: this feed is another's now, or was lost")
            self._position = Position(self._position.epoch, self._position.seq + len(part))
        return self._position


def _held(field: bytes, body: bytes) -> Entry:
    seq, _, framed = body.partition(b"|")
    return frames.entry(int(seq), field.decode(), framed)


def _logged(id_: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    seq = int(id_.partition(b"-")[2])
    return frames.entry(seq, fields[b"f"].decode(), fields[b"b"])
