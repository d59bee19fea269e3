"""A gateway's side of all feeds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import anyio
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.replica import Replica, Step
from rollgraph.ports import Broker

# Seconds between two comparisons with how far the feeds have come: finds a loss after which nothing
# more was said.
CHECK_EVERY = 5.0
# Spokes that are healed at the same time; after a restart of the broker it is all of them.
AT_ONCE = 8
# Seconds until what could not be healed is tried again, and what is not there or not complete yet.
AGAIN = 1.0
SOON = 0.25

_log = structlog.get_logger(__name__)


class Sink(Protocol):
    """Who is told what is read; at once, and without a wait."""

    def take(self, cluster: str, step: Step) -> None:
        """A fact that is new here."""

    def forget(self, cluster: str) -> None:
        """A spoke has no feed any more."""


class Follower:
    """Reads every feed, so that a sink has all that is written, in order, each fact once.

    A broker that has lost all it had is written anew by the workers within seconds. Until then,
    what was read before is kept.

    Args:
        broker: Where the feeds are.
        sink: Who is told.
        exists: Whether there is a spoke of a name though it has no feed.
    """

    def __init__(
        self, broker: Broker, sink: Sink, exists: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._broker = broker
        self._sink = sink
        self._exists = exists
        self._replicas: dict[str, Replica] = {}
        self._healing: set[str] = set()
        self._due = anyio.Event()
        self._torn = anyio.Event()
        self._gate = anyio.CapacityLimiter(AT_ONCE)

    async def run(self) -> None:
        """Follows until cancelled. Raises nothing that the broker can cause."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear)
            tasks.start_soon(self._keep_comparing)
            tasks.start_soon(self._keep_healing)

    async def _hear(self) -> None:
        async with self._broker.listen() as messages:
            async for batch in messages:
                if batch is None:
                    self._torn.set()
                    continue
                replica = self._replicas.setdefault(batch.cluster, Replica())
                self._take(batch.cluster, replica.take(batch))
                if replica.broken:
                    self._due.set()

    async def _keep_comparing(self) -> None:
        await self._torn.wait()  # until it listens, a comparison would miss what comes in between
        while True:
            self._torn = anyio.Event()
            try:
                self._compare(await self._broker.positions())
            except BrokerError as error:
                _log.warning("feeds_not_compared", error=str(error))
            with anyio.move_on_after(CHECK_EVERY):
                await self._torn.wait()

    def _compare(self, positions: Mapping[str, Position]) -> None:
        for cluster in [*self._replicas.keys() - positions.keys()]:
            self._forget(cluster)
        for cluster, position in positions.items():
            replica = self._replicas.setdefault(cluster, Replica())
            replica.check(position)
            if replica.broken:
                self._due.set()

    async def _keep_healing(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                self._due = anyio.Event()
                for cluster, replica in self._replicas.items():
                    if replica.broken and cluster not in self._healing:
                        self._healing.add(cluster)
                        tasks.start_soon(self._heal, cluster)
                await self._due.wait()

    async def _heal(self, cluster: str) -> None:
        """Heals one spoke's replica, however often it takes."""
        try:
            while (replica := self._replicas.get(cluster)) is not None and replica.broken:
                try:
                    async with self._gate:
                        await self._fill(cluster, replica)
                except BrokerError as error:
                    _log.warning("feed_not_read", cluster=cluster, error=str(error))
                    await anyio.sleep(AGAIN)
        finally:
            self._healing.discard(cluster)

    async def _fill(self, cluster: str, replica: Replica) -> None:
        here = replica.position
        log = None if here is None else await self._broker.log(cluster, here)
        if log is not None:
            self._take(cluster, replica.heal(log))
            return
        snapshot = await self._broker.snapshot(cluster)
        if snapshot is None:
            self._forget(cluster)
        elif replica.complete(snapshot):
            self._take(cluster, replica.reset(snapshot))
        if replica.broken:
            await anyio.sleep(SOON)

    def _take(self, cluster: str, steps: Iterable[Step]) -> None:
        for step in steps:
            self._sink.take(cluster, step)

    def _forget(self, cluster: str) -> None:
        if not self._exists(cluster) and self._replicas.pop(cluster, None) is not None:
            self._sink.forget(cluster)
