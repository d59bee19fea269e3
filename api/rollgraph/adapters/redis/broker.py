"""The broker on Redis."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio.lowlevel
import msgspec
import structlog

from rollgraph.adapters.redis import frames, scripts
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.hearing import hearing
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.errors import BrokerError, FencedError, UnreadableError
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot
from rollgraph.ports import Feed

# Facts that a spoke's log keeps: minutes of a busy one, and some 8 MiB at the most.
LOG = 5_000
# Facts that one script writes; each takes some 10 us, in which Redis does nothing else.
MOST_AT_ONCE = 200
# Fields that one HSCAN reads.
SCAN = 500
# Facts decoded before others get a turn: about 5 ms of a core. Ten thousand take a second and more,
# in which a worker that takes a spoke over has to say that it lives.
DECODED = 40
# How often a snapshot is begun anew because its epoch ended meanwhile, or another server has it.
TRIES = 3
KEYS = Keys()
# In place of a checkpoint: the one before stays, or there is none any more.
_SAME, _NONE = b"", b"-"

_log = structlog.get_logger(__name__)


class RedisBroker:
    """A `ports.Broker` on Redis 7 or later.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        log: Facts of a spoke that its log keeps, at least.
        keys: Where things are.
    """

    def __init__(self, redis: Client, log: int = LOG, keys: Keys = KEYS) -> None:
        self._redis = redis
        self._keys = keys
        self._log_length = log
        self._claim = Script(redis, scripts.CLAIM)
        self._anew = Script(redis, scripts.ANEW)
        self._append = Script(redis, scripts.APPEND)
        self._drop = Script(redis, scripts.DROP)
        self._look = Script(redis, scripts.LOOK)

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """See `ports.Broker`."""
        with translated(f"claim of {cluster}"):
            told = [secrets.token_hex(8), holder]
            found = await self._claim(self._keys.feed(cluster), told)
            if not found:
                raise FencedError(f"claim of {cluster}: its lease is not {holder or 'anybody'}'s")
            await cast("Any", self._redis.sadd(self._keys.feeds, cluster))
            fence, position = int(found[0]), Position(found[1].decode(), int(found[2]))
            try:
                entries, checkpoint = await self._scan(cluster), await self._checkpoint(cluster)
            except UnreadableError as error:
                _log.warning("feed_begun_anew", cluster=cluster, error=str(error))
                position = await self._begin_anew(cluster, fence)
                entries, checkpoint = [], None
            if not _Whereabouts(position, found[3]).same(await self._whereabouts(cluster)):
                raise BrokerError(f"claim of {cluster}: another server has it by now")
        feed = _RedisFeed(self, cluster, fence, position)
        return feed, Snapshot(position, entries, checkpoint)

    async def drop(self, cluster: str) -> None:
        """See `ports.Broker`."""
        with translated(f"drop of {cluster}"):
            await cast("Any", self._redis.srem(self._keys.feeds, cluster))
            await self._drop(self._keys.feed(cluster), [self._keys.channel(cluster)])

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
                before = await self._whereabouts(cluster)
                if before is None:
                    return None
                entries = await self._scan(cluster)
                # Where a scan has come to means nothing to another server: it would skip some.
                if before.same(await self._whereabouts(cluster)):
                    return Snapshot(before.position, entries)
        raise BrokerError(
            f"snapshot of {cluster}: {TRIES} times its epoch ended meanwhile, or its server changed"
        )

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """See `ports.Broker`."""
        meta = self._keys.meta(cluster)
        with translated(f"log of {cluster}"):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(meta, "epoch", "seq")
                pipe.xrange(self._keys.log(cluster), min=f"0-{after.seq + 1}")
                pipe.hmget(meta, "epoch", "seq")
                (epoch, seq), found, (later, _) = await pipe.execute()
            if {epoch, later} != {after.epoch.encode()}:
                return None
            entries = [_logged(id_, fields) for id_, fields in found]
        # They follow each other without a gap: if the first is the next, none is missing.
        missing = entries[0].seq - 1 != after.seq if entries else int(seq) != after.seq
        return None if missing else entries

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[Batch | None]]:
        """See `ports.Broker`."""
        async with hearing(self._redis, self._keys) as heard:
            yield heard

    async def write(
        self,
        cluster: str,
        fence: int,
        at: Position,
        facts: Sequence[tuple[str, bytes, bool]],
        checkpoint: bytes,
    ) -> bool:
        """Writes some facts after a position, in one step; False if the feed is another's."""
        channel = self._keys.channel(cluster)
        told = [(field, body) for field, body, _ in facts]
        message = frames.message(cluster, at.epoch, at.seq + 1, told)
        head: list[str | bytes]
        head = [str(fence), at.epoch, str(at.seq), str(self._log_length), channel, message]
        head.append(checkpoint)
        rest = [part for field, body, gone in facts for part in (field, body, "1" if gone else "0")]
        with translated(f"facts of {cluster}"):
            return bool(await self._append(self._keys.feed(cluster), [*head, *rest]))

    async def _begin_anew(self, cluster: str, fence: int) -> Position:
        """Takes away all that is known of a spoke. Raises `FencedError`."""
        epoch = secrets.token_hex(8)
        if not await self._anew(self._keys.feed(cluster), [epoch, fence]):
            raise FencedError(f"claim of {cluster}: it was claimed again meanwhile")
        return Position(epoch, 0)

    async def _checkpoint(self, cluster: str) -> Checkpoint | None:
        body = await cast("Any", self._redis.hget(self._keys.meta(cluster), "checkpoint"))
        try:
            return None if body is None else frames.checkpoint(body)
        except UnreadableError as error:
            _log.info("checkpoint_unreadable", cluster=cluster, error=str(error))
            return None

    async def _members(self) -> set[bytes]:
        return cast("set[bytes]", await cast("Any", self._redis.smembers(self._keys.feeds)))

    async def _whereabouts(self, cluster: str) -> "_Whereabouts | None":
        epoch, seq, server = await self._look([self._keys.meta(cluster)], [])
        return _Whereabouts(Position(epoch.decode(), int(seq)), server) if epoch else None

    async def _scan(self, cluster: str) -> list[Entry]:
        """All that is known. A field may come twice, and then the later is the newer."""
        fields = self._redis.hscan_iter(self._keys.state(cluster), count=SCAN)
        found = {field: body async for field, body in fields}
        entries = []
        for number, (field, body) in enumerate(found.items()):
            if number % DECODED == DECODED - 1:
                await anyio.lowlevel.checkpoint()
            entries.append(_held(field, body))
        return entries


class _Whereabouts(msgspec.Struct, frozen=True):
    """How far a feed has come, and the run of the server that has it."""

    position: Position
    server: bytes

    def same(self, later: "_Whereabouts | None") -> bool:
        """Whether what was scanned in between is one server's and one epoch's."""
        return (
            later is not None
            and later.server == self.server
            and later.position.epoch == self.position.epoch
        )


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

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """See `ports.Feed`; of each `MOST_AT_ONCE` facts all or none are written."""
        framed = [
            (frames.field_of(fact.subject), frames.frame(fact), fact.value is None)
            for fact in facts
        ]
        for start in range(0, len(framed), MOST_AT_ONCE):
            part = framed[start : start + MOST_AT_ONCE]
            last = start + len(part) == len(framed)
            reached = _reached(part, checkpoint if last else None)
            if not await self._broker.write(
                self._cluster, self._fence, self._position, part, reached
            ):
                raise FencedError(f"{self._cluster}: this feed is another's now, or was lost")
            self._position = Position(self._position.epoch, self._position.seq + len(part))
        return self._position


def _reached(facts: Sequence[tuple[str, bytes, bool]], checkpoint: Checkpoint | None) -> bytes:
    """What becomes of the checkpoint when these facts are written."""
    if checkpoint is not None:
        return frames.framed(checkpoint)
    return _NONE if any(field for field, _, _ in facts) else _SAME


def _held(field: bytes, body: bytes) -> Entry:
    seq, _, framed = body.partition(b"|")
    return frames.entry(int(seq), field.decode(), framed)


def _logged(id_: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    seq = int(id_.partition(b"-")[2])
    return frames.entry(seq, fields[b"f"].decode(), fields[b"b"])
