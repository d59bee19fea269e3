"""A worker's side of a spoke's feed."""

from collections import deque
from collections.abc import Sequence
from random import Random
from time import perf_counter

import anyio
import msgspec
import structlog

from rollgraph.core.connection import ClusterView
from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.checkpoints import Checkpoint, Inheritance
from rollgraph.core.feed.entries import Fact, Snapshot, Subject, Value
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.ports import Broker, Clock, Feed, FeedObserver, Tracing
from rollgraph.ports.tracing import Part

# Facts that wait for the broker: what the busiest spoke learns in ten seconds. Beyond, the story
# has a hole, and the latest of each rollout is written.
MAX_WAITING = 10_000
# Facts that are written at once.
PART = 200
# Seconds that whoever takes a spoke over waits for what was left of it. Ten thousand rollouts take
# one or two, and six where others had the cores; of a Redis that takes longer, a list tells sooner.
INHERITED_WITHIN = 15.0
# Seconds that facts wait for the checkpoint that they lead to. A worker that rests after each event
# has given it at once; one that never rests is not to be late for it.
RESTS_WITHIN = 0.05
# Seconds between two attempts to write, at first and at most, and up to as much again by chance.
SHORTEST, LONGEST = 0.2, 5.0

_log = structlog.get_logger(__name__)


class Publisher:
    """Writes what is learned of one spoke to its feed: a `ports.Handover` of that spoke.

    What is told is written in order, each fact once. While the broker does not answer the facts
    wait; when it does again, and after anything that leaves in doubt what was written, what differs
    from the feed is written instead. What an earlier worker wrote and is not there any more is
    deleted once the spoke has been read, and not before.

    Args:
        cluster: The spoke's name.
        broker: Where its feed is.
        clock: The time of day.
        rng: Chance for waits.
        most: Facts that may wait.
        holder: As whom it claims the feed; see `ports.Broker`.
        observer: Hears what is written.
        tracing: Follows it.

    Attributes:
        dropped: True once the spoke is not there any more.
    """

    def __init__(
        self,
        cluster: str,
        broker: Broker,
        clock: Clock,
        rng: Random,
        most: int = MAX_WAITING,
        holder: str = "",
        observer: FeedObserver | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.dropped = False
        self._tracing = tracing or Tracing()
        self._observer = observer or FeedObserver()
        self._holder = holder
        self._cluster = cluster
        self._broker = broker
        self._clock = clock
        self._rng = rng
        self._most = most
        # The latest of each subject; of one that is gone until that is written.
        self._known: dict[Subject, Fact] = {}
        self._waiting: deque[Fact] = deque()
        # What an earlier worker wrote and this one has not been told of yet.
        self._inherited: dict[Subject, Value] = {}
        # Where its watches had come, while all of it is inherited.
        self._left: Checkpoint | None = None
        self._claimed = anyio.Event()
        # What this worker had reached last, how many of the facts that wait belong to that, and
        # whether nothing was told of a rollout since.
        self._reached: Checkpoint | None = None
        self._covered = 0
        self._still = False
        self._rested = anyio.Event()
        self._in_doubt = True
        self._came = anyio.Event()
        self._idle = anyio.Event()

    def put_cluster(self, cluster: ClusterView) -> None:
        """See `ports.Projection`."""
        self._tell(None, cluster)
        if cluster.synced:
            self._bury()

    def put_rollout(self, view: RolloutView) -> None:
        """See `ports.Projection`."""
        self._tell(view.ref.key, view)

    def drop_rollout(self, ref: RolloutRef) -> None:
        """See `ports.Projection`."""
        self._tell(ref.key, None)

    def drop_cluster(self, name: str) -> None:
        """See `ports.Projection`; whoever opened the publisher ends the feed."""
        self.dropped = True

    async def inherited(self) -> Inheritance | None:
        """See `ports.Handover`."""
        with anyio.move_on_after(INHERITED_WITHIN):
            await self._claimed.wait()
        views = [value for value in self._inherited.values() if isinstance(value, RolloutView)]
        return Inheritance(views, self._left) if views or self._left is not None else None

    def take_over(self) -> None:
        """See `ports.Handover`."""
        now, inherited = self._clock.now(), self._inherited
        self._inherited = {None: inherited.pop(None)} if None in inherited else {}
        self._known |= {subject: Fact(subject, value, now) for subject, value in inherited.items()}
        self._reached, self._left, self._still = self._left, None, True

    def reach(self, checkpoint: Checkpoint) -> None:
        """See `ports.Handover`."""
        if self._inherited.keys() <= {None}:  # else the feed has more than was told
            self._reached, self._covered, self._still = checkpoint, len(self._waiting), True
            self._rested.set()

    async def run(self) -> None:
        """Writes until cancelled. Raises nothing that the broker can cause."""
        wait = SHORTEST
        while True:
            try:
                feed, snapshot = await self._broker.claim(self._cluster, self._holder)
                self._compare(snapshot)
                self._claimed.set()
                wait = SHORTEST
                await self._write(feed)
            except BrokerError as error:
                self._in_doubt = True
                _log.warning("feed_not_written", cluster=self._cluster, error=str(error))
                await anyio.sleep(wait * (1 + self._rng.random()))
                wait = min(wait * 2, LONGEST)

    @property
    def waiting(self) -> int:
        """How many facts wait to be written."""
        return len(self._waiting)

    async def written(self) -> None:
        """Returns once everything that was told is written, which `run` has to do meanwhile."""
        self._idle = anyio.Event()
        self._came.set()
        await self._idle.wait()

    async def _write(self, feed: Feed) -> None:
        while not self._in_doubt:
            while not self._waiting:
                self._idle.set()
                self._came = anyio.Event()
                await self._came.wait()
            if self._reached is not None and not self._covered and len(self._waiting) < PART:
                await self._rest()
            part, checkpoint = self._next()
            await self._append(feed, part, checkpoint)
            for fact in part:
                if fact.value is None and self._known.get(fact.subject) is fact:
                    del self._known[fact.subject]

    async def _append(
        self, feed: Feed, part: Sequence[Fact], checkpoint: Checkpoint | None
    ) -> None:
        begun = perf_counter()
        # Signs of life of the spoke alone are not worth a trace each.
        if self._tracing.follows and any(fact.subject is not None for fact in part):
            await self._append_followed(feed, part, checkpoint)
        else:
            await feed.append(part, checkpoint)
        self._observer.published(len(part), perf_counter() - begun)

    async def _append_followed(
        self, feed: Feed, part: Sequence[Fact], checkpoint: Checkpoint | None
    ) -> None:
        """Writes facts; whoever reads them goes on with the trace that begins here."""
        said: dict[str, str | int] = {"rollgraph.cluster": self._cluster}
        said["rollgraph.facts"] = len(part)
        with self._tracing.span("publish", Part.PRODUCER, since=part[0].at, said=said) as trace:
            followed = [msgspec.structs.replace(fact, trace=trace) for fact in part]
            await feed.append(followed, checkpoint)

    async def _rest(self) -> None:
        """Waits for a checkpoint: whoever dies before it leaves the one that is written."""
        self._rested = anyio.Event()
        with anyio.move_on_after(RESTS_WITHIN):
            await self._rested.wait()

    def _next(self) -> tuple[list[Fact], Checkpoint | None]:
        """The facts to write at once, and the checkpoint that is reached with the last of them.

        What was told of a rollout after that is written by itself: it takes the checkpoint away.
        """
        length = min(PART, self._covered or len(self._waiting))
        checkpoint = self._reached if length == self._covered else None
        self._covered = max(self._covered - length, 0)
        return [self._waiting.popleft() for _ in range(length)], checkpoint

    def _tell(self, subject: Subject, value: Value) -> None:
        fact = self._known[subject] = Fact(subject, value, self._clock.now())
        inherited = self._inherited.pop(subject, None)
        if subject is not None:
            self._left, self._still = None, False
        if not self._in_doubt and (value is None or inherited != value):
            self._queue(fact)

    def _queue(self, fact: Fact) -> None:
        if len(self._waiting) >= self._most:
            _log.warning("feed_too_slow", cluster=self._cluster, waiting=len(self._waiting))
            self._observer.overflowed(self._cluster)
            self._in_doubt = True
        else:
            self._waiting.append(fact)
            if self._still:
                self._covered = len(self._waiting)
        self._came.set()

    def _compare(self, snapshot: Snapshot) -> None:
        """Lets wait what differs from the feed, in place of what waited."""
        written = {entry.subject: entry.value for entry in snapshot.entries}
        self._known = {
            subject: fact
            for subject, fact in self._known.items()
            if fact.value is not None or subject in written
        }
        differ = [f for subject, f in self._known.items() if written.get(subject) != f.value]
        # The spoke itself comes last: its fact says that a feed which was lost is complete again.
        self._waiting = deque(sorted(differ, key=lambda fact: fact.subject is None))
        self._inherited = {
            subject: value for subject, value in written.items() if subject not in self._known
        }
        self._left = snapshot.checkpoint if self._known.keys() <= {None} else None
        self._still &= self._inherited.keys() <= {None}
        self._covered = len(self._waiting) if self._still else 0
        self._in_doubt = False
        cluster = self._known.get(None)
        if cluster is not None and isinstance(cluster.value, ClusterView) and cluster.value.synced:
            self._bury()

    def _bury(self) -> None:
        """Deletes what the feed has and the spoke, which has been read, has not."""
        # In order, so that two runs write the same.
        for subject in sorted(self._inherited, key=str):
            self._tell(subject, None)
