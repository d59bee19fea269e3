"""Every metric that there is: its name, what it counts, and where it is told.

`cluster` is a label, for there are hundreds at the most; the name of a rollout never is, nor
anything that a caller writes. `docs/reference/metrics.md` is printed from here.
"""

from enum import StrEnum

import msgspec


class Form(StrEnum):
    """What a metric is, in Prometheus's words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Part(StrEnum):
    """Who tells it: what watches is `worker` and `serve`, what answers `gateway` and `serve`."""

    EVERY = "every process"
    WATCHES = "what watches"
    ANSWERS = "what answers"


class Family(msgspec.Struct, frozen=True):
    """One metric.

    Attributes:
        name: With the unit, and `_total` for a counter.
        help: What it counts, with its unit.
        labels: The names of its labels.
        buckets: Of a histogram: their upper bounds.
    """

    name: str
    form: Form
    part: Part
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


# Seconds. From a look into memory to a Redis at the end of its time.
_QUICK = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
# Seconds. From an answer that was kept to an action that waits for a slow cluster.
_ANSWERS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Seconds. A worker's clock and ours may differ by some: what is less than nothing counts as none.
_DELAYS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

BUILD_INFO = Family(
    "rollgraph_build_info",
    Form.GAUGE,
    Part.EVERY,
    "Always 1; its labels tell what runs. `role` is serve, worker or gateway.",
    ("version", "python", "role"),
)
LOOP_LAG = Family(
    "rollgraph_eventloop_lag_seconds",
    Form.HISTOGRAM,
    Part.EVERY,
    "Seconds by which the event loop woke a task too late, looked at four times a second.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

WATCH_STATE = Family(
    "rollgraph_watch_state",
    Form.GAUGE,
    Part.WATCHES,
    "How a watch stands: 2 connected, 1 reading a full list, 0 disconnected. Of several namespaces"
    " the worst.",
    ("cluster", "kind"),
)
WATCH_OBJECTS = Family(
    "rollgraph_watch_objects",
    Form.GAUGE,
    Part.WATCHES,
    "Objects that are held of a cluster.",
    ("cluster", "kind"),
)
WATCH_RESTARTS = Family(
    "rollgraph_watch_restarts_total",
    Form.COUNTER,
    Part.WATCHES,
    "Watches that failed and began anew, by what was wrong. A server that ends a watch in the"
    " normal way does not count.",
    ("cluster", "reason"),
)
WATCH_EVENTS = Family(
    "rollgraph_watch_events_total",
    Form.COUNTER,
    Part.WATCHES,
    "Events that a cluster's API server sent; `type` is as Kubernetes has it, BOOKMARK and ERROR"
    " too.",
    ("cluster", "kind", "type"),
)
RELISTS = Family(
    "rollgraph_relist_total",
    Form.COUNTER,
    Part.WATCHES,
    "Full lists that were read: START for the first, EXPIRED where the API server had forgotten"
    " the version, else what was wrong.",
    ("cluster", "reason"),
)
EVENT_AGE = Family(
    "rollgraph_last_event_age_seconds",
    Form.GAUGE,
    Part.WATCHES,
    "Seconds since the last event of an object, exact to 5 s; absent before the first. A quiet"
    " cluster has none for hours.",
    ("cluster", "kind"),
)
BOOKMARK_AGE = Family(
    "rollgraph_last_bookmark_age_seconds",
    Form.GAUGE,
    Part.WATCHES,
    "Seconds since the API server last told how far it has come, which it does about once a"
    " minute; exact to 5 s, absent before the first.",
    ("cluster", "kind"),
)
PUBLISH = Family(
    "rollgraph_feed_publish_seconds",
    Form.HISTOGRAM,
    Part.WATCHES,
    "Seconds that it took to write what was learned, at most 200 facts at once.",
    buckets=_QUICK,
)
PUBLISHED = Family(
    "rollgraph_feed_published_total",
    Form.COUNTER,
    Part.WATCHES,
    "Facts that were written to feeds.",
)
OVERFLOWS = Family(
    "rollgraph_feed_overflow_total",
    Form.COUNTER,
    Part.WATCHES,
    "Times that more facts waited to be written than may. The latest of each rollout is written,"
    " what led there is lost.",
    ("cluster",),
)
LEASES = Family(
    "rollgraph_leases_held",
    Form.GAUGE,
    Part.WATCHES,
    "Clusters that this worker watches. Absent where one process watches all.",
)
WORKERS = Family(
    "rollgraph_workers",
    Form.GAUGE,
    Part.WATCHES,
    "Workers that live, as this one saw them last. Absent where one process watches all.",
)
SPOKES = Family(
    "rollgraph_clusters",
    Form.GAUGE,
    Part.ANSWERS,
    "Clusters by how they are watched: CONNECTED, DEGRADED, SYNCING or DISCONNECTED.",
    ("status",),
)
STALE = Family(
    "rollgraph_cluster_stale",
    Form.GAUGE,
    Part.ANSWERS,
    "1 if the rollouts of a cluster are shown as stale, else 0.",
    ("cluster",),
)
ROLLOUTS = Family(
    "rollgraph_rollouts",
    Form.GAUGE,
    Part.ANSWERS,
    "Rollouts of a cluster by phase; phases without any are left out.",
    ("cluster", "phase"),
)
APPLY = Family(
    "rollgraph_feed_apply_seconds",
    Form.HISTOGRAM,
    Part.ANSWERS,
    "Seconds that it took to take facts of one message, log or snapshot into the model, and to"
    " tell whoever listens.",
    buckets=_QUICK,
)
APPLIED = Family(
    "rollgraph_feed_applied_total", Form.COUNTER, Part.ANSWERS, "Facts that were taken in."
)
DELAY = Family(
    "rollgraph_feed_delay_seconds",
    Form.HISTOGRAM,
    Part.ANSWERS,
    "Seconds from when a worker had learned something to when it could be asked for here, by the"
    " clocks of both.",
    buckets=_DELAYS,
)
LAG = Family(
    "rollgraph_replica_lag_seconds",
    Form.GAUGE,
    Part.ANSWERS,
    "Seconds for which something of a cluster's feed has been known to be missing here; else the"
    " delay of the last fact.",
    ("cluster",),
)
GAPS = Family(
    "rollgraph_seq_gap_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Times that something of a cluster's feed was found to be missing here.",
    ("cluster",),
)
RESYNCS = Family(
    "rollgraph_resync_total",
    Form.COUNTER,
    Part.ANSWERS,
    "What was missing and how it came: `log` with all of its story, `snapshot` without.",
    ("kind",),
)
SUBSCRIPTIONS = Family(
    "rollgraph_subscriptions",
    Form.GAUGE,
    Part.ANSWERS,
    "Operations that go on over streams, by transport: websocket, sse or multipart.",
    ("transport",),
)
COALESCED = Family(
    "rollgraph_events_coalesced_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Events that slow subscribers got as part of a later one of the same rollout.",
)
DROPPED = Family(
    "rollgraph_events_dropped_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Events that subscribers were far too slow for: they got a RESYNC instead.",
)
QUEUE = Family(
    "rollgraph_queue_depth",
    Form.GAUGE,
    Part.EVERY,
    "What waits: `feed`, facts to be written; `subscribers`, news of all subscribers; `audit`,"
    " actions to be told to their clusters.",
    ("queue",),
)
ENFORCE = Family(
    "rollgraph_enforce_seconds",
    Form.HISTOGRAM,
    Part.ANSWERS,
    "Seconds that it took to work out what somebody may do. It is kept: looking at each rollout"
    " costs less than could be measured.",
    buckets=_QUICK,
)
JWKS_AGE = Family(
    "rollgraph_jwks_age_seconds",
    Form.GAUGE,
    Part.ANSWERS,
    "Seconds since the keys of an issuer were fetched; absent before the first time. They are"
    " believed for a day.",
    ("issuer",),
)
POLICY = Family(
    "rollgraph_policy_version",
    Form.GAUGE,
    Part.ANSWERS,
    "How many policies have been taken since the start; absent where nobody logs in.",
)
POLICY_BROKEN = Family(
    "rollgraph_policy_broken",
    Form.GAUGE,
    Part.ANSWERS,
    "1 if the newest policy was not taken, so that an older one is in force; absent where nobody"
    " logs in.",
)
MUTATIONS = Family(
    "rollgraph_mutations_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Actions on rollouts, by what came of them, as the audit has it.",
    ("action", "result"),
)
OPERATIONS = Family(
    "rollgraph_graphql_operations_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Operations by what came of them: ok; errors, in a part of the answer; refused, before anything"
    " was executed; failed. A subscription counts when it ends. `type` is unknown where a document"
    " cannot be read.",
    ("type", "result"),
)
OPERATION_SECONDS = Family(
    "rollgraph_graphql_operation_seconds",
    Form.HISTOGRAM,
    Part.ANSWERS,
    "Seconds that queries and mutations took, from the whole question to the whole answer.",
    ("type",),
    buckets=_ANSWERS,
)
KEPT = Family(
    "rollgraph_answers_kept_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Queries over HTTP that might have been answered from memory: `hit` if they were.",
    ("result",),
)
FRAGMENTS = Family(
    "rollgraph_fragments_total",
    Form.COUNTER,
    Part.ANSWERS,
    "Rollouts in answers: `hit` if what was selected of them was kept from before.",
    ("result",),
)
CACHE_BYTES = Family(
    "rollgraph_cache_bytes",
    Form.GAUGE,
    Part.ANSWERS,
    "Bytes that are kept: `answers`, at most 32 MiB; `fragments` of them, at most 64 MiB.",
    ("cache",),
)

EVERY: tuple[Family, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Family)
)
