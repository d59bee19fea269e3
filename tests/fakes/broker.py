"""A broker in memory that loses, repeats and delays messages, fails, and comes back with less."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio

from rollgraph.adapters.memory.broker import MemoryBroker
from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot
from rollgraph.ports import Feed


class FaultyBroker:
    """A `ports.Broker`.

    Attributes:
        away: Whether every call fails.
        loss: The share of messages that nobody hears of.
        repeats: The share that is heard once more later.
        delays: The share that is heard after a later one.
        claims: How often a feed was claimed.
    """

    def __init__(self, rng: Random | None = None, *, log: int = 1000) -> None:
        self.inner = MemoryBroker(log=log)
        self.away = False
        self.loss = self.repeats = self.delays = 0.0
        self.claims = 0
        self._rng = rng if rng is not None else Random(0)
        self._log = log

    def lose_all(self) -> None:
        """As a store without a disk that was started anew."""
        self.inner = MemoryBroker(log=self._log)

    def come_back(self) -> None:
        """Answers again."""
        self.away = False

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """Of the port."""
        await self._answer()
        self.claims += 1
        feed, snapshot = await self.inner.claim(cluster, holder)
        return _FaultyFeed(self, feed), snapshot

    async def drop(self, cluster: str) -> None:
        """Of the port."""
        await self._answer()
        await self.inner.drop(cluster)

    async def positions(self) -> Mapping[str, Position]:
        """Of the port."""
        await self._answer()
        return await self.inner.positions()

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """Of the port."""
        await self._answer()
        return await self.inner.snapshot(cluster)

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """Of the port."""
        await self._answer()
        return await self.inner.log(cluster, after)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[Batch | None]]:
        """Of the port. Nobody is told of a loss: that is what numbers are for."""

        async def heard() -> AsyncIterator[Batch | None]:
            held: list[Batch] = []
            async for batch in messages:
                if batch is None:
                    yield batch
                    continue
                if self._rng.random() < self.loss:
                    continue
                late = [held.pop(self._rng.randrange(len(held)))] if held else []
                if self._rng.random() < self.delays:
                    held.append(batch)
                else:
                    yield batch
                for each in late:
                    yield each
                if self._rng.random() < self.repeats:
                    held.append(batch)

        async with self.inner.listen() as messages:
            yield heard()

    async def answer(self) -> None:
        """Takes a moment, and fails while it is away."""
        await self._answer()

    async def _answer(self) -> None:
        await anyio.sleep(self._rng.random() * 0.01)
        if self.away:
            raise BrokerError("no connection")


class _FaultyFeed:
    """A `ports.Feed`."""

    def __init__(self, broker: FaultyBroker, feed: Feed) -> None:
        self._broker = broker
        self._feed = feed
        self._of = broker.inner

    @property
    def position(self) -> Position:
        """Of the port."""
        return self._feed.position

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """Of the port. That it fails does not mean that nothing was written."""
        if self._broker.inner is not self._of:
            raise BrokerError("what was claimed is lost")
        if self._broker.away and facts:
            await self._feed.append(facts[: len(facts) // 2])
            # Also if it is back by then: no broker writes the half, and then all of it once more.
            raise BrokerError("the connection broke in the middle")
        await self._broker.answer()
        return await self._feed.append(facts, checkpoint)
