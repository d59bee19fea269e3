"""A gateway's side of all feeds."""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import Protocol

import anyio
import msgspec
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.replica import Replica, Step
from rollgraph.ports import Broker, FeedObserver, Tracing
from rollgraph.ports.tracing import Part

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
        observer: Hears what is read, and what is missing.
        tracing: Follows what is read.
    """

    def __init__(
        self,
        broker: Broker,
        sink: Sink,
        exists: Callable[[str], bool] = lambda _: False,
        observer: FeedObserver | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._observer = observer or FeedObserver()
        self._broker = broker
        self._sink = sink
        self._exists = exists
        self._replicas: dict[str, Replica] = {}
        self._healing: set[str] = set()
        self._behind_since: dict[str, float] = {}
        self._due = anyio.Event()
        self._torn = anyio.Event()
        self._gate = anyio.CapacityLimiter(AT_ONCE)

    @property
    def behind(self) -> Mapping[str, float]:
        """Seconds for which something of a spoke's feed has been known to be missing here."""
        now = anyio.current_time()
        return {cluster: now - since for cluster, since in self._behind_since.items()}

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
                self._look(batch.cluster, replica)

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
            self._look(cluster, replica)

    def _look(self, cluster: str, replica: Replica) -> None:
        """Has a replica healed, if it needs be."""
        if not replica.broken:
            return
        if cluster not in self._behind_since:
            self._behind_since[cluster] = anyio.current_time()
            if replica.position is not None:
                self._observer.torn(cluster)
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
            self._healed(cluster, replica, "log")
            return
        snapshot = await self._broker.snapshot(cluster)
        if snapshot is None:
            self._forget(cluster)
        elif replica.complete(snapshot):
            self._take(cluster, replica.reset(snapshot))
            self._healed(cluster, replica, "snapshot")
        if replica.broken:
            await anyio.sleep(SOON)

    def _healed(self, cluster: str, replica: Replica, means: str) -> None:
        self._observer.healed(cluster, means)
        if not replica.broken:
            self._behind_since.pop(cluster, None)

    def _take(self, cluster: str, steps: Iterable[Step]) -> None:
        begun, taken, at = perf_counter(), 0, None
        for step in steps:
            self._tell(cluster, step)
            taken += 1
            # What is whole is told as it happened; of the rest nobody knows when.
            at = step.entry.at if step.whole else None
        if taken:
            self._observer.applied(taken, perf_counter() - begun)
        if at is not None:
            self._observer.arrived(cluster, at)

    def _tell(self, cluster: str, step: Step) -> None:
        entry = step.entry
        if not (entry.trace and step.whole and self._tracing.follows):
            self._sink.take(cluster, step)
            return
        said: dict[str, str | int] = {"rollgraph.cluster": cluster, "rollgraph.seq": entry.seq}
        with self._tracing.span("apply", Part.CONSUMER, parent=entry.trace, said=said) as trace:
            entry = msgspec.structs.replace(entry, trace=trace)
            self._sink.take(cluster, msgspec.structs.replace(step, entry=entry))

    def _forget(self, cluster: str) -> None:
        if not self._exists(cluster) and self._replicas.pop(cluster, None) is not None:
            self._behind_since.pop(cluster, None)
            self._sink.forget(cluster)
