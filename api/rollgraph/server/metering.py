"""What is read when somebody looks at the metrics, and from whom."""

import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from importlib.metadata import version

from rollgraph.access.policies import Access
from rollgraph.acting.announcer import Announcer
from rollgraph.adapters.prometheus import Metrics, families
from rollgraph.adapters.prometheus.metrics import Reading
from rollgraph.adapters.prometheus.observers import FollowedFeeds, Operations, one
from rollgraph.core.audit import AuditRow
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.verbs import Verb
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.feed.publishing import Publishing
from rollgraph.ports import Clock, Mirror
from rollgraph.schema.fragments import FragmentCache
from rollgraph.server.answers import Answers
from rollgraph.server.watched import Watched
from rollgraph.spokes.shift import Shift

# A graph of it goes down when something is wrong.
_STATES = {
    ConnectionStatus.CONNECTED: 2.0,
    ConnectionStatus.DEGRADED: 2.0,
    ConnectionStatus.SYNCING: 1.0,
    ConnectionStatus.DISCONNECTED: 0.0,
}

# Not what else is audited, such as logins.
_VERBS = frozenset(map(str, Verb))


def process(metrics: Metrics, role: str) -> None:
    """What runs."""
    labels = (version("rollgraph"), platform.python_version(), role)
    metrics.read(families.BUILD_INFO, lambda: [(labels, 1.0)])


def watching(metrics: Metrics, watched: Watched, publishing: Publishing, clock: Clock) -> None:
    """What watches spokes."""

    def each(value: Callable[[list[WatchView]], float | None]) -> Callable[[], Iterator[Reading]]:
        return lambda: _by_kind(watched.views, value)

    metrics.read(families.WATCH_STATE, each(lambda ws: min(_STATES[w.status] for w in ws)))
    metrics.read(families.WATCH_OBJECTS, each(lambda ws: float(sum(w.objects for w in ws))))
    metrics.read(
        families.EVENT_AGE, each(lambda ws: _age([w.last_event_at for w in ws], clock.now()))
    )
    metrics.read(
        families.BOOKMARK_AGE, each(lambda ws: _age([w.last_bookmark_at for w in ws], clock.now()))
    )
    metrics.read(families.QUEUE, lambda: [(("feed",), float(publishing.waiting))])


def sharing(metrics: Metrics, shift: Shift) -> None:
    """Which share of the spokes is a worker's."""
    metrics.read(families.LEASES, lambda: one(len(shift.watched)))
    metrics.read(families.WORKERS, lambda: one(shift.workers))


def model(metrics: Metrics, mirror: Mirror, clock: Clock, patience: timedelta) -> None:
    """What is known of the fleet, as whoever asks is told."""

    def spokes() -> Iterator[Reading]:
        counts = dict.fromkeys(ConnectionStatus, 0)
        for view in mirror.clusters():
            counts[view.status] += 1
        return (((str(status),), float(count)) for status, count in counts.items())

    def stale() -> Iterator[Reading]:
        now = clock.now()
        return (((view.name,), float(view.stale(now, patience))) for view in mirror.clusters())

    def rollouts() -> Iterator[Reading]:
        for view in mirror.clusters():
            for phase, count in mirror.counts(view.name).items():
                yield (view.name, str(phase)), float(count)

    metrics.read(families.SPOKES, spokes)
    metrics.read(families.STALE, stale)
    metrics.read(families.ROLLOUTS, rollouts)


def following(metrics: Metrics, follower: Follower, fanout: FanOut, feeds: FollowedFeeds) -> None:
    """How the model is kept up, and who listens."""

    def lag() -> Iterable[Reading]:
        known = {cluster: feeds.delays.get(cluster, 0.0) for cluster in fanout.positions}
        return (((cluster,), lag) for cluster, lag in {**known, **follower.behind}.items())

    metrics.read(families.LAG, lag)
    metrics.read(families.QUEUE, lambda: [(("subscribers",), float(fanout.waiting))])


def streams(metrics: Metrics, taken: Callable[[], Mapping[str, int]]) -> None:
    """What goes on over streams, by transport."""
    metrics.read(
        families.SUBSCRIPTIONS,
        lambda: [((transport,), float(count)) for transport, count in taken().items()],
    )


def caches(metrics: Metrics, answers: Answers, fragments: FragmentCache) -> None:
    """What is kept, and how often it was of use."""

    def found(cache: Answers | FragmentCache) -> list[Reading]:
        return [(("hit",), float(cache.hits)), (("miss",), float(cache.misses))]

    metrics.read(families.KEPT, lambda: found(answers))
    metrics.read(families.FRAGMENTS, lambda: found(fragments))
    metrics.read(families.CACHE_BYTES, lambda: [(("answers",), float(answers.size))])
    metrics.read(families.CACHE_BYTES, lambda: [(("fragments",), float(fragments.size))])


def acted(operations: Operations) -> Callable[[AuditRow], None]:
    """Counts actions on rollouts, as the audit is told of them."""

    def count(row: AuditRow) -> None:
        if row.entry.verb in _VERBS:
            operations.acted(row.entry.verb, row.entry.result)

    return count


def callers(
    metrics: Metrics, access: Access | None, ages: Callable[[], Mapping[str, float]]
) -> None:
    """Which policy is in force, and how old the keys of issuers are, in seconds."""

    def policy(value: Callable[[Access], float]) -> Callable[[], list[Reading]]:
        return lambda: [] if access is None else one(value(access))

    metrics.read(families.POLICY, policy(lambda access: access.version))
    metrics.read(families.POLICY_BROKEN, policy(lambda access: bool(access.problem)))
    metrics.read(families.JWKS_AGE, lambda: [((issuer,), age) for issuer, age in ages().items()])


def announcing(metrics: Metrics, announcer: Announcer) -> None:
    """What waits to be told to clusters."""
    metrics.read(families.QUEUE, lambda: [(("audit",), float(announcer.waiting))])


def _by_kind(
    views: Iterable[ClusterView], value: Callable[[list[WatchView]], float | None]
) -> Iterator[Reading]:
    """A value of all watches of each kind of each spoke; None is left out."""
    for view in views:
        kinds: defaultdict[str, list[WatchView]] = defaultdict(list)
        for watch in view.watches:
            kinds[str(watch.kind)].append(watch)
        for kind, watches in kinds.items():
            found = value(watches)
            if found is not None:
                yield (view.name, kind), found


def _age(times: Iterable[datetime | None], now: datetime) -> float | None:
    """Seconds since the last of some times; None without any."""
    latest = max((time for time in times if time is not None), default=None)
    return None if latest is None else max(0.0, (now - latest).total_seconds())
