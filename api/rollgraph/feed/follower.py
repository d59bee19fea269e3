"""A gateway's side of all feeds."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from time import perf_counter
from typing import Protocol

import anyio
import msgspec
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.entries import Batch, Position
from rollgraph.core.feed.replica import Replica, Step
from rollgraph.feed.lane import Lane
from rollgraph.feed.turns import PART, Readers, Turns
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
# Facts that wait here for their turn, in messages of all spokes: some 20 MiB at the most. Beyond,
# the messages wait in the broker, and after so many seconds they are left to the spoke's log.
KEPT = 2_000
KEPT_WITHIN = 1.0

_log = structlog.get_logger(__name__)


class Sink(Readers, Protocol):
    """Who is told what is read; at once, and without a wait."""

    def take(self, cluster: str, step: Step) -> None:
        """A fact that is new here."""

    def forget(self, cluster: str) -> None:
        """A spoke has no feed any more."""


class Follower:
    """Reads every feed, so that a sink has all that is written, in order, each fact once.

    What comes is told as it comes. Many facts at once, of a log or of messages that come faster
    than readers take them, are told in parts (`Turns`), by a task for their spoke. Until it is
    done, what comes of this spoke waits for its turn. A snapshot has no story to be lost: it is
    told at once, so that nobody finds a half of it in the model.

    A broker that has lost all it had is written anew by the workers within seconds. Until then,
    what was read before is kept.

    Args:
        broker: Where the feeds are.
        sink: Who is told.
        exists: Whether there is a spoke of a name though it has no feed.
        observer: Hears what is read, and what is missing.
        tracing: Follows what is read.
        part: Facts that are told without a turn for readers.
    """

    def __init__(
        self,
        broker: Broker,
        sink: Sink,
        exists: Callable[[str], bool] = lambda _: False,
        observer: FeedObserver | None = None,
        tracing: Tracing | None = None,
        part: int = PART,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._observer = observer or FeedObserver()
        self._broker = broker
        self._sink = sink
        self._exists = exists
        self._part = part
        self._turns = Turns(sink)
        self._lanes: dict[str, Lane] = {}
        # Spokes that have a task.
        self._attended: set[str] = set()
        self._due = anyio.Event()
        self._less_kept = anyio.Event()
        self._torn = anyio.Event()
        self._gate = anyio.CapacityLimiter(AT_ONCE)

    @property
    def behind(self) -> Mapping[str, float]:
        """Seconds for which something of a spoke has been known to be there and not been told."""
        now = anyio.current_time()
        found = {cluster: lane.behind_since for cluster, lane in self._lanes.items()}
        return {cluster: now - since for cluster, since in found.items() if since is not None}

    async def run(self) -> None:
        """Follows until cancelled. Raises nothing that the broker can cause."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear)
            tasks.start_soon(self._keep_comparing)
            tasks.start_soon(self._keep_attending)

    async def _hear(self) -> None:
        async with self._broker.listen() as messages:
            async for batch in messages:
                if batch is None:
                    self._torn.set()
                    continue
                lane = self._lanes.setdefault(batch.cluster, Lane())
                if self._has_to_wait(lane, batch):
                    await self._keep(lane, batch)
                else:
                    self._take(batch.cluster, lane.replica, lane.replica.take(batch))
                self._look(batch.cluster, lane)

    def _has_to_wait(self, lane: Lane, batch: Batch) -> bool:
        """Whether a message cannot be told as it comes."""
        length = len(batch.entries)
        return lane.pending or length > self._part or self._sink.crowded(length)

    async def _keep(self, lane: Lane, batch: Batch) -> None:
        # What is broken may be so for long, and would keep others from being heard.
        with anyio.move_on_after(0 if lane.replica.broken else KEPT_WITHIN):
            while sum(each.kept for each in self._lanes.values()) >= KEPT:
                self._less_kept = anyio.Event()
                await self._less_kept.wait()
            lane.keep(batch)
            return
        lane.leave(batch)

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
        for cluster in [*self._lanes.keys() - positions.keys()]:
            self._forget(cluster)
        for cluster, position in positions.items():
            lane = self._lanes.setdefault(cluster, Lane())
            if not lane.kept:  # else it may be what waits
                lane.replica.check(position)
            self._look(cluster, lane)

    def _look(self, cluster: str, lane: Lane) -> None:
        """Has a spoke attended to, if it needs be."""
        if not lane.pending:
            return
        if lane.behind_since is None:
            lane.behind_since = anyio.current_time()
        if lane.replica.broken and not lane.torn:
            lane.torn = True
            if lane.replica.position is not None:
                self._observer.torn(cluster)
        self._due.set()

    async def _keep_attending(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                self._due = anyio.Event()
                for cluster, lane in self._lanes.items():
                    if lane.pending and cluster not in self._attended:
                        self._attended.add(cluster)
                        tasks.start_soon(self._attend, cluster)
                await self._due.wait()

    async def _attend(self, cluster: str) -> None:
        """Heals one spoke's replica, however often it takes, and tells what waits."""
        try:
            while (lane := self._lanes.get(cluster)) is not None and lane.pending:
                try:
                    if lane.replica.broken:
                        async with self._gate:
                            await self._fill(cluster, lane)
                    else:
                        await self._tell_first(cluster, lane)
                except BrokerError as error:
                    _log.warning("feed_not_read", cluster=cluster, error=str(error))
                    await anyio.sleep(AGAIN)
                if not lane.pending:
                    lane.behind_since = None
        finally:
            self._attended.discard(cluster)

    async def _tell_first(self, cluster: str, lane: Lane) -> None:
        """Tells the first message that waits."""
        if (batch := lane.first()) is not None:
            await self._tell_in_parts(cluster, lane, lane.replica.take(batch))
            lane.done(batch)
            self._look(cluster, lane)
        self._less_kept.set()

    async def _fill(self, cluster: str, lane: Lane) -> None:
        replica, here = lane.replica, lane.replica.position
        log = None if here is None else await self._broker.log(cluster, here)
        if log is not None:
            if await self._tell_in_parts(cluster, lane, replica.heal(log)):
                self._healed(cluster, lane, "log")
            if not log and replica.broken:
                await anyio.sleep(SOON)
            return
        snapshot = await self._broker.snapshot(cluster)
        await self._turns.next()  # so that what was told before it is taken before it
        if self._lanes.get(cluster) is not lane:
            return
        if snapshot is None:
            self._forget(cluster)
        elif replica.complete(snapshot):
            self._take(cluster, replica, replica.reset(snapshot))
            self._healed(cluster, lane, "snapshot")
        if replica.broken:
            await anyio.sleep(SOON)

    def _healed(self, cluster: str, lane: Lane, means: str) -> None:
        lane.torn = lane.replica.broken
        self._observer.healed(cluster, means)

    async def _tell_in_parts(self, cluster: str, lane: Lane, steps: Iterator[Step]) -> bool:
        """Tells all steps; False if the spoke was forgotten before the last."""
        taken = self._part
        while taken == self._part:
            await self._turns.next()
            if self._lanes.get(cluster) is not lane:
                return False
            taken = self._take(cluster, lane.replica, islice(steps, self._part))
        return True

    def _take(self, cluster: str, replica: Replica, steps: Iterator[Step]) -> int:
        """Tells steps without a wait; how many they were."""
        begun, taken, at = perf_counter(), 0, None
        for step in steps:
            self._tell(cluster, step)
            taken += 1
            # What is whole is told as it happened; of the rest nobody knows when.
            at = step.entry.at if step.whole else None
        if taken:
            self._observer.applied(taken, perf_counter() - begun)
        if at is not None and not replica.broken:
            self._observer.arrived(cluster, at)
        return taken

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
        if not self._exists(cluster) and self._lanes.pop(cluster, None) is not None:
            self._sink.forget(cluster)
