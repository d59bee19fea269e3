"""A gateway's one way in: what is read from the feeds enters the model, and listeners hear."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.entries import Position, Subject, Value
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.feed.news import News
from rollgraph.feed.subscription import MOST, Subscription
from rollgraph.ports import Mirror, Projection

# News of one spoke that are kept for those who come back: who was away for a minute, from a spoke
# that changes 30 times a second, misses nothing.
HISTORY = 2_000


class FanOut:
    """Puts what is read into the fleet's model and tells its listeners: a follower's `Sink`.

    The model comes first: whoever hears of a change finds it there.

    Args:
        projection: The fleet's model, to write.
        mirror: The same, to read.
        history: News of a spoke that are kept for those who come back.
    """

    def __init__(self, projection: Projection, mirror: Mirror, history: int = HISTORY) -> None:
        self._projection = projection
        self._mirror = mirror
        self._most = history
        self._history: dict[str, deque[News]] = {}
        self._positions: dict[str, Position] = {}
        self._listeners: dict[Subscription, None] = {}

    @property
    def positions(self) -> Mapping[str, Position]:
        """How far the model has come, by spoke."""
        return dict(self._positions)

    def take(self, cluster: str, step: Step) -> None:
        """See `Sink`."""
        entry = step.entry
        before = self._held(cluster, entry.subject)
        self._put(cluster, entry.subject, entry.value)
        news = News(
            cluster, entry.subject, step.position, entry.at, before, entry.value, step.whole
        )
        self._remember(news)
        for listener in [*self._listeners]:
            listener.offer(news)

    def forget(self, cluster: str) -> None:
        """See `Sink`. Whoever listens looks anew."""
        self._projection.drop_cluster(cluster)
        self._history.pop(cluster, None)
        self._positions.pop(cluster, None)
        for listener in [*self._listeners]:
            listener.tear()

    def subscribe(self, wanted: Callable[[News], bool], most: int = MOST) -> Subscription:
        """Listens from now on.

        Whoever wants the state first looks at the model next, without waiting in between: then
        nothing is missed and nothing is heard twice.
        """
        made = Subscription(wanted, self._end, most)
        self._listeners[made] = None
        return made

    def since(self, positions: Mapping[str, Position]) -> Sequence[News] | None:
        """All news after these positions, by the time of their learning.

        None if some are not known any more, or there is a spoke that is not named.
        """
        found: list[News] = []
        for cluster, here in self._positions.items():
            missed = self._missed(cluster, positions.get(cluster), here)
            if missed is None:
                return None
            found += missed
        return sorted(found, key=lambda news: news.at)

    def _missed(
        self, cluster: str, known: Position | None, here: Position
    ) -> Sequence[News] | None:
        history = self._history.get(cluster, ())
        if known == here:
            return ()
        if known is None or known.epoch != here.epoch:
            return None
        missed = [news for news in history if news.position.seq > known.seq]
        whole = all(news.whole for news in missed) and len(missed) == here.seq - known.seq
        return missed if whole else None

    def _remember(self, news: News) -> None:
        self._positions[news.cluster] = news.position
        history = self._history.setdefault(news.cluster, deque(maxlen=self._most))
        history.append(news)

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

    def _end(self, listener: Subscription) -> None:
        self._listeners.pop(listener, None)
