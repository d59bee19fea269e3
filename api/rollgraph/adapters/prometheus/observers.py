"""What is told while it happens, counted: the observers of `rollgraph.ports`."""

from datetime import datetime

from prometheus_client import Counter, Histogram

from rollgraph.adapters.prometheus import families
from rollgraph.adapters.prometheus.metrics import Metrics, Reading
from rollgraph.core.refs import Kind
from rollgraph.ports import (
    Clock,
    FeedObserver,
    OperationObserver,
    PolicyObserver,
    WatchObserver,
)


class Watches:
    """Makes who counts for the watches of one spoke."""

    def __init__(self, metrics: Metrics) -> None:
        self._events = metrics.counter(families.WATCH_EVENTS)
        self._restarts = metrics.counter(families.WATCH_RESTARTS)
        self._relists = metrics.counter(families.RELISTS)

    def of(self, cluster: str) -> WatchObserver:
        """Who counts for a spoke."""
        return _Watch(cluster, self._events, self._restarts, self._relists)


class _Watch(WatchObserver):
    def __init__(self, cluster: str, events: Counter, restarts: Counter, relists: Counter) -> None:
        self._cluster = cluster
        self._events = events
        self._restarts = restarts
        self._relists = relists

    def received(self, kind: Kind, type: str) -> None:
        """See `WatchObserver`."""
        self._events.labels(self._cluster, kind, type).inc()

    def broken(self, kind: Kind, reason: str) -> None:
        """See `WatchObserver`."""
        self._restarts.labels(self._cluster, reason).inc()

    def listed(self, kind: Kind, reason: str) -> None:
        """See `WatchObserver`."""
        self._relists.labels(self._cluster, reason).inc()


class PublishedFeeds(FeedObserver):
    """Counts a worker's side of feeds."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = metrics.histogram(families.PUBLISH)
        self._facts = metrics.counter(families.PUBLISHED)
        self._overflows = metrics.counter(families.OVERFLOWS)

    def published(self, facts: int, seconds: float) -> None:
        """See `FeedObserver`."""
        self._facts.inc(facts)
        self._seconds.observe(seconds)

    def overflowed(self, cluster: str) -> None:
        """See `FeedObserver`."""
        self._overflows.labels(cluster).inc()


class FollowedFeeds(FeedObserver):
    """Counts a gateway's side of feeds.

    Attributes:
        delays: Seconds from when a worker had learned the last fact of each spoke.
    """

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self.delays: dict[str, float] = {}
        self._clock = clock
        self._seconds = metrics.histogram(families.APPLY)
        self._facts = metrics.counter(families.APPLIED)
        self._delay = metrics.histogram(families.DELAY)
        self._gaps = metrics.counter(families.GAPS)
        self._resyncs = metrics.counter(families.RESYNCS)
        self._coalesced = metrics.counter(families.COALESCED)
        self._dropped = metrics.counter(families.DROPPED)

    def applied(self, facts: int, seconds: float) -> None:
        """See `FeedObserver`."""
        self._facts.inc(facts)
        self._seconds.observe(seconds)

    def arrived(self, cluster: str, at: datetime) -> None:
        """See `FeedObserver`."""
        # The worker's clock may be ahead of ours.
        delay = max(0.0, (self._clock.now() - at).total_seconds())
        self.delays[cluster] = delay
        self._delay.observe(delay)

    def torn(self, cluster: str) -> None:
        """See `FeedObserver`."""
        self._gaps.labels(cluster).inc()

    def healed(self, cluster: str, means: str) -> None:
        """See `FeedObserver`."""
        self._resyncs.labels(means).inc()

    def coalesced(self, news: int) -> None:
        """See `FeedObserver`."""
        self._coalesced.inc(news)

    def dropped(self, news: int) -> None:
        """See `FeedObserver`."""
        self._dropped.inc(news)


class Decisions(PolicyObserver):
    """Counts what deciding costs."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = metrics.histogram(families.ENFORCE)

    def decided(self, seconds: float) -> None:
        """See `PolicyObserver`."""
        self._seconds.observe(seconds)


class LoopLag:
    """Counts by how much the event loop is late."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds: Histogram = metrics.histogram(families.LOOP_LAG)

    def late(self, seconds: float) -> None:
        """It woke a task so many seconds too late."""
        self._seconds.observe(seconds)


class Operations(OperationObserver):
    """Counts what is asked, and what came of it."""

    def __init__(self, metrics: Metrics) -> None:
        self._operations = metrics.counter(families.OPERATIONS)
        self._seconds = metrics.histogram(families.OPERATION_SECONDS)
        self._mutations = metrics.counter(families.MUTATIONS)

    def answered(self, type: str, result: str, seconds: float | None) -> None:
        """See `OperationObserver`."""
        self._operations.labels(type, result).inc()
        if seconds is not None:
            self._seconds.labels(type).observe(seconds)

    def acted(self, action: str, result: str) -> None:
        """An action on one rollout is done, or refused."""
        self._mutations.labels(action, result).inc()


def one(value: float) -> list[Reading]:
    """The reading of a gauge without labels."""
    return [((), value)]
