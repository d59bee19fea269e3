"""What is read when somebody looks at the metrics."""

from datetime import timedelta

import anyio
from prometheus_client.parser import text_string_to_metric_families

from factories import rollout_view
from fakes.clock import LoopClock
from rollgraph.access.policies import Access
from rollgraph.adapters.memory import MemoryAuditLog, MemoryMirror
from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import Decisions, Operations
from rollgraph.adapters.re2 import patterns
from rollgraph.core.audit import AuditEntry, Deed, Result
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.phase import Phase
from rollgraph.core.refs import Kind
from rollgraph.core.verbs import Verb
from rollgraph.core.viewer import Viewer
from rollgraph.server import metering
from rollgraph.server.audittrail import AuditTrail
from unit.access.test_policy_in_force import READS, Spring, text

PATIENCE = timedelta(seconds=10)


def told(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric, by the values of its labels."""
    body, _ = metrics.exposed("")
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name == name
    }


def cluster(name: str, status: ConnectionStatus, clock: LoopClock) -> ClusterView:
    watch = WatchView(Kind.ROLLOUT, "", status, clock.now(), synced=True)
    return ClusterView(name, status, clock.now(), watches=(watch,), confirmed_at=clock.now())


async def test_the_fleet_is_told_as_whoever_asks_sees_it() -> None:
    clock, metrics = LoopClock(), Metrics()
    mirror = MemoryMirror(clock)
    metering.model(metrics, mirror, clock, PATIENCE)
    mirror.put_cluster(cluster("east", ConnectionStatus.CONNECTED, clock))
    mirror.put_cluster(cluster("west", ConnectionStatus.DISCONNECTED, clock))
    for name, phase in (("a", Phase.HEALTHY), ("b", Phase.HEALTHY), ("c", Phase.PAUSED)):
        mirror.put_rollout(rollout_view(f"east/shop/{name}", phase=phase))
    assert told(metrics, "rollgraph_cluster_stale") == {("east",): 0, ("west",): 1}
    assert told(metrics, "rollgraph_rollouts") == {("east", "Healthy"): 2, ("east", "Paused"): 1}
    assert told(metrics, "rollgraph_clusters") == {
        ("CONNECTED",): 1,
        ("DEGRADED",): 0,
        ("SYNCING",): 0,
        ("DISCONNECTED",): 1,
    }
    await anyio.sleep(10.1)
    assert told(metrics, "rollgraph_cluster_stale") == {("east",): 1, ("west",): 1}
    mirror.drop_cluster("east")
    assert told(metrics, "rollgraph_rollouts") == {}


async def test_actions_are_counted_and_nothing_else_that_is_audited() -> None:
    metrics = Metrics()
    trail = AuditTrail(MemoryAuditLog(LoopClock(), max_rows=10))
    trail.tell(metering.acted(Operations(metrics)))
    for verb, result in (
        (Verb.PROMOTE, Result.APPLIED),
        (Verb.PROMOTE, Result.REFUSED),
        (Verb.PROMOTE, Result.APPLIED),
        (Deed.LOGIN, Result.APPLIED),
    ):
        trail.record(AuditEntry(viewer=Viewer("anna"), verb=verb, result=result))
    assert told(metrics, "rollgraph_mutations_total") == {
        ("promote", "APPLIED"): 2,
        ("promote", "REFUSED"): 1,
    }


async def test_a_policy_shows_its_version_and_what_deciding_costs() -> None:
    metrics = Metrics()
    access = Access(Spring(text(READS)), patterns, observer=Decisions(metrics))
    metering.callers(metrics, access, lambda: {"https://idp.example.com": 60.5})
    await access.load()
    rights = access.rights(Viewer("anna"))
    before = told(metrics, "rollgraph_enforce_seconds_count")[()]
    rights.sees_cluster("east")
    rights.sees_cluster("west")
    # The second time it is known.
    assert told(metrics, "rollgraph_enforce_seconds_count")[()] == before + 1
    assert told(metrics, "rollgraph_policy_version") == {(): 1}
    assert told(metrics, "rollgraph_policy_broken") == {(): 0}
    access.problem = "line 1 makes no sense"
    assert told(metrics, "rollgraph_policy_broken") == {(): 1}
    assert told(metrics, "rollgraph_jwks_age_seconds") == {("https://idp.example.com",): 60.5}


async def test_where_nobody_logs_in_there_is_no_policy_to_tell_of() -> None:
    metrics = Metrics()
    metering.callers(metrics, None, dict)
    assert told(metrics, "rollgraph_policy_version") == {}
    assert b"# TYPE rollgraph_policy_broken gauge" in metrics.exposed("")[0]
