"""A gateway's one way in: what is read from the feeds enters the model, and listeners hear."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed import topics as feedtopics
from rollgraph.core.feed.entries import Position, Subject, Value
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.feed.replica import Step
from rollgraph.core.feed.topics import Topic
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.feed.laggards import Laggards
from rollgraph.feed.subscription import MOST, Subscription
from rollgraph.ports import FeedObserver, Mirror, Projection

# News that are kept for those who come back, of all spokes. Each holds on to the view before, some
# 4 KiB: 40 MiB at the most. In a fleet that changes 50 times a second it is three minutes.
HISTORY = 10_000


class FanOut:
    """Puts what is read into the fleet's model and tells its listeners: a follower's `Sink`.

    The model comes first: whoever hears of a change finds it there.

    Args:
        projection: The fleet's model, to write.
        mirror: The same, to read.
        history: News that are kept for those who come back.
        observer: Hears what listeners were too slow for.
    """

    def __init__(
        self,
        projection: Projection,
        mirror: Mirror,
        history: int = HISTORY,
        observer: FeedObserver | None = None,
    ) -> None:
        self._observer = observer
        self._projection = projection
        self._mirror = mirror
        self._history: deque[News] = deque(maxlen=history)
        self._positions: dict[str, Position] = {}
        self._frontier: Frontier | None = None
        # While a hole of a spoke is filled: the spoke, and the frontier from before the hole.
        self._filling: tuple[str, Frontier] | None = None
        self._listeners: dict[Subscription, Sequence[Topic] | None] = {}
        self._laggards = Laggards()
        # The same by topic, in the order in which they came; None for those who hear of all.
        self._by_topic: dict[Topic | None, dict[Subscription, None]] = {None: {}}

    @property
    def positions(self) -> Mapping[str, Position]:
        """How far the model has come, by spoke."""
        return dict(self._positions)

    @property
    def waiting(self) -> int:
        """How many news wait for all listeners."""
        return sum(listener.depth for listener in self._listeners)

    @property
    def frontier(self) -> Frontier:
        """See `ports.Newsroom`."""
        if self._frontier is None:
            self._frontier = Frontier(dict(self._positions))
        return self._frontier

    def take(self, cluster: str, step: Step) -> None:
        """See `Sink`."""
        entry = step.entry
        before = self._held(cluster, entry.subject)
        self._put(cluster, entry.subject, entry.value)
        news = News(
            cluster,
            entry.subject,
            step.position,
            entry.at,
            before,
            entry.value,
            step.whole,
            trace=entry.trace if step.whole else "",
        )
        filling = None if step.whole else self._before_hole(cluster, step.position)
        self._positions[cluster], self._frontier = step.position, None
        self._filling = None if filling is None else (cluster, filling)
        self._history.append(news)
        if self._listeners:
            # What is remembered goes without: a frontier is as large as the fleet has spokes.
            news = msgspec.structs.replace(news, frontier=filling or self.frontier)
            self._offer(news)

    def forget(self, cluster: str) -> None:
        """See `Sink`. Whoever listens looks anew."""
        self._projection.drop_cluster(cluster)
        self._positions.pop(cluster, None)
        self._frontier = self._filling = None
        for listener in [*self._listeners]:
            listener.tear()

    def crowded(self, news: int) -> bool:
        """See `Sink`."""
        return self._laggards.crowded(news)

    def give_up(self, news: int) -> None:
        """See `Sink`."""
        self._laggards.give_up(news)

    def nudge(self) -> None:
        """Wakes everybody who listens: something else has changed that they depend on."""
        for listener in [*self._listeners]:
            listener.nudge()

    def subscribe(
        self,
        wanted: Callable[[News], bool],
        most: int = MOST,
        *,
        topics: Sequence[Topic] | None = None,
    ) -> Subscription:
        """Listens from now on.

        Whoever wants the state first looks at the model next, without waiting in between: then
        nothing is missed and nothing is heard twice.
        """
        made = Subscription(wanted, self._end, most, self._observer, self._laggards.add)
        self._listeners[made] = topics
        for topic in (None,) if topics is None else topics:
            self._by_topic.setdefault(topic, {})[made] = None
        return made

    def since(self, positions: Mapping[str, Position]) -> Sequence[News] | None:
        """All news of these spokes after their positions, in the order in which they came.

        None if some are not known any more, or a spoke is not there.
        """
        missed = [news for news in self._history if _is_after(news, positions)]
        whole = Counter(news.cluster for news in missed if news.whole)
        for cluster, known in positions.items():
            here = self._positions.get(cluster)
            if here is None or known.epoch != here.epoch:
                return None
            if whole[cluster] != here.seq - known.seq:
                return None
        return missed

    def _before_hole(self, cluster: str, filled: Position) -> Frontier:
        """Where a reader is who has been told a part of what fills a hole: before all of it.

        All of it has the position that it leads to, so that this must not be taken for the one
        before: who came back with it after a part would not be told the rest.
        """
        if self._filling is not None and self._filling[0] == cluster:
            return self._filling[1]
        before = dict(self._positions)
        if before.get(cluster) == filled:
            del before[cluster]
        return Frontier(before)

    def _held(self, cluster: str, subject: Subject) -> Value:
        if subject is None:
            return self._mirror.cluster(cluster)
        return self._mirror.rollout(RolloutRef(cluster, subject.namespace, subject.name))

    def _put(self, cluster: str, subject: Subject, value: Value) -> None:
        if isinstance(value, RolloutView):
            self._projection.put_rollout(value)
        elif isinstance(value, ClusterView):
            self._projection.put_cluster(value)
        elif subject is not None:
            self._projection.drop_rollout(RolloutRef(cluster, subject.namespace, subject.name))

    def _offer(self, news: News) -> None:
        """Offers news to those who may want them, to each once."""
        for topic in (None, *feedtopics.of_news(news)):
            for listener in self._by_topic.get(topic, ()):
                listener.offer(news)

    def _end(self, listener: Subscription) -> None:
        if listener not in self._listeners:
            return
        self._laggards.discard(listener)
        topics = self._listeners.pop(listener)
        for topic in (None,) if topics is None else topics:
            others = self._by_topic[topic]
            del others[listener]
            if topic is not None and not others:
                del self._by_topic[topic]


def _is_after(news: News, positions: Mapping[str, Position]) -> bool:
    known = positions.get(news.cluster)
    if known is None or known.epoch != news.position.epoch:
        return False
    return news.position.seq > known.seq
