"""A broker as one worker sees it who may die at any moment."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import anyio

from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot
from rollgraph.ports import Broker, Feed


class MortalBroker:
    """A `ports.Broker` that many share, until this one's owner is dead.

    Attributes:
        inner: What outlives it.
        lag: Seconds that each call takes.
        dead: Whether nothing comes through any more.
    """

    def __init__(self, inner: Broker, lag: float = 0.001) -> None:
        self.inner = inner
        self.lag = lag
        self.dead = False

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """Of the port."""
        await self.pass_through()
        feed, snapshot = await self.inner.claim(cluster, holder)
        return _MortalFeed(self, feed), snapshot

    async def drop(self, cluster: str) -> None:
        """Of the port."""
        await self.pass_through()
        await self.inner.drop(cluster)

    async def positions(self) -> Mapping[str, Position]:
        """Of the port."""
        return await self.inner.positions()

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """Of the port."""
        return await self.inner.snapshot(cluster)

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """Of the port."""
        return await self.inner.log(cluster, after)

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Batch | None]]:
        """Of the port."""
        return self.inner.listen()

    async def pass_through(self) -> None:
        """A call on its way: who dies meanwhile has not made it."""
        await anyio.sleep(self.lag)
        if self.dead:
            raise BrokerError("its owner is dead")


class _MortalFeed:
    """A `ports.Feed`."""

    def __init__(self, broker: MortalBroker, feed: Feed) -> None:
        self._broker = broker
        self._feed = feed

    @property
    def position(self) -> Position:
        """Of the port."""
        return self._feed.position

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """Of the port: all of it is written, or nothing."""
        await self._broker.pass_through()
        return await self._feed.append(facts, checkpoint)
