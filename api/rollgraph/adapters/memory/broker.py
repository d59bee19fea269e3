"""The broker of a single process: what a worker writes is read beside it, without a copy."""

import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import anyio

from rollgraph.core.errors import FencedError
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot, Subject
from rollgraph.ports import Feed

# Facts of a spoke that its log keeps: what a listener missed that was briefly too slow. Each holds
# on to a view that may be of no other use, some 4 KiB.
LOG = 200
# Messages that wait for one listener. One that is so far behind reads the log.
WAITING = 1_000


class MemoryBroker:
    """A `ports.Broker` in memory.

    Args:
        log: Facts of a spoke that its log keeps.
        waiting: Messages that wait for one listener; when full all are dropped, and it is told.
    """

    def __init__(self, log: int = LOG, waiting: int = WAITING) -> None:
        self._log = log
        self._waiting = waiting
        self._feeds: dict[str, _Stored] = {}
        self._listeners: set[_Listener] = set()
        self._holders: dict[str, str] = {}

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """See `ports.Broker`."""
        if self._holders.get(cluster, "") != holder:
            raise FencedError(f"claim of {cluster}: its lease is not {holder or 'anybody'}'s")
        stored = self._feeds.get(cluster)
        if stored is None:
            # By chance: cursors outlive the process, and to the next one they must mean nothing.
            stored = _Stored(secrets.token_hex(8), self._log)
            self._feeds[cluster] = stored
        stored.fence += 1
        return _MemoryFeed(self, cluster, stored, stored.fence), stored.inheritance()

    async def drop(self, cluster: str) -> None:
        """See `ports.Broker`."""
        self._holders.pop(cluster, None)
        stored = self._feeds.pop(cluster, None)
        if stored is not None:
            stored.fence += 1
            self._tear()

    def hand(self, cluster: str, holder: str) -> None:
        """Lets a worker claim a spoke's feed, and nobody else; until then nobody writes it."""
        if self._holders.get(cluster, "") != holder:
            self._holders[cluster] = holder
            if (stored := self._feeds.get(cluster)) is not None:
                stored.fence += 1

    def known(self, cluster: str) -> int:
        """How many subjects something is known of."""
        stored = self._feeds.get(cluster)
        return 0 if stored is None else len(stored.state)

    async def positions(self) -> Mapping[str, Position]:
        """See `ports.Broker`."""
        return {name: stored.position for name, stored in self._feeds.items()}

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """See `ports.Broker`."""
        stored = self._feeds.get(cluster)
        return None if stored is None else stored.snapshot()

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """See `ports.Broker`."""
        stored = self._feeds.get(cluster)
        if stored is None or stored.epoch != after.epoch:
            return None
        missing = stored.seq - after.seq
        if not 0 <= missing <= len(stored.log):
            return None
        return list(stored.log)[len(stored.log) - missing :]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[Batch | None]]:
        """See `ports.Broker`."""
        listener = _Listener(self._waiting)
        self._listeners.add(listener)
        try:
            async with aclosing(listener.messages()) as messages:
                yield messages
        finally:
            self._listeners.discard(listener)

    def publish(self, batch: Batch) -> None:
        """Tells every listener."""
        for listener in self._listeners:
            listener.put(batch)

    def _tear(self) -> None:
        """Lets every listener look what there is."""
        for listener in self._listeners:
            listener.tear()


class _Stored:
    """One spoke's feed."""

    def __init__(self, epoch: str, log: int) -> None:
        self.epoch = epoch
        self.seq = 0
        self.fence = 0
        self.state: dict[Subject, Entry] = {}
        self.checkpoint: Checkpoint | None = None
        self.log: deque[Entry] = deque(maxlen=log)

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.position, tuple(self.state.values()))

    def inheritance(self) -> Snapshot:
        return Snapshot(self.position, tuple(self.state.values()), self.checkpoint)

    def write(self, fact: Fact) -> Entry:
        self.seq += 1
        entry = Entry(self.seq, fact.subject, fact.value, fact.at, fact.trace)
        if fact.value is None:
            self.state.pop(fact.subject, None)
        else:
            self.state[fact.subject] = entry
        self.log.append(entry)
        return entry


class _MemoryFeed:
    """A `ports.Feed` in memory."""

    def __init__(self, broker: MemoryBroker, cluster: str, stored: _Stored, fence: int) -> None:
        self._broker = broker
        self._cluster = cluster
        self._stored = stored
        self._fence = fence

    @property
    def position(self) -> Position:
        """See `ports.Feed`."""
        return self._stored.position

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """See `ports.Feed`."""
        stored = self._stored
        if stored.fence != self._fence:
            raise FencedError(f"{self._cluster}: somebody else writes this feed now")
        entries = [stored.write(fact) for fact in facts]
        if checkpoint is not None or any(fact.subject is not None for fact in facts):
            stored.checkpoint = checkpoint
        if entries:
            self._broker.publish(Batch(self._cluster, stored.epoch, entries))
        return stored.position


class _Listener:
    """The messages that wait for one reader."""

    def __init__(self, most: int) -> None:
        self._waiting: deque[Batch | None] = deque([None])
        self._most = most
        self._came = anyio.Event()

    def put(self, batch: Batch) -> None:
        if len(self._waiting) >= self._most:
            self.tear()
        else:
            self._waiting.append(batch)
            self._came.set()

    def tear(self) -> None:
        """Drops what waits, and says that something is missing."""
        self._waiting.clear()
        self._waiting.append(None)
        self._came.set()

    async def messages(self) -> AsyncGenerator[Batch | None]:
        while True:
            while not self._waiting:
                self._came = anyio.Event()
                await self._came.wait()
            yield self._waiting.popleft()
