"""A simulated fleet lives by itself: for hours, in all phases, the same for the same seed."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rollgraph.simulation.cluster import EVENTS, Cluster
from rollgraph.simulation.fleet import Plan, prepare
from rollgraph.simulation.manifests import moment, status_of

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def fleet(plan: Plan) -> list[Cluster]:
    return [cluster for cluster, _ in prepare(plan, START)]


def live(cluster: Cluster, length: timedelta) -> Iterator[datetime]:
    """Each time at which something happened."""
    now = START
    while (due := cluster.act(now)) is not None and due <= START + length:
        now = due
        yield now


def told(clusters: list[Cluster]) -> list[tuple[str, str, str]]:
    return [
        (cluster.name, event["involvedObject"]["name"], event["message"])
        for cluster in clusters
        for event in cluster.store.items("Event")
    ]


def test_the_same_seed_tells_the_same_story() -> None:
    one, same, other = (told(fleet(Plan(seed=seed))) for seed in (7, 7, 8))
    assert one == same
    assert one != other
    assert len(one) > 100


def test_rollouts_are_dealt_to_all_clusters() -> None:
    clusters = fleet(Plan(spokes=3, rollouts=13, rate=0))
    counts = [len(cluster.store.items("Rollout")) for cluster in clusters]
    assert counts == [5, 4, 4]
    assert [cluster.name for cluster in clusters] == ["eu-west", "us-east", "staging"]


def test_without_new_versions_all_is_healthy_and_nothing_happens() -> None:
    for cluster in fleet(Plan(rate=0)):
        phases = {status_of(rollout)["phase"] for rollout in cluster.store.items("Rollout")}
        assert phases == {"Healthy"}
        version = cluster.store.version
        assert list(live(cluster, timedelta(hours=1))) == []
        assert cluster.store.version == version


def test_many_names_are_told_apart() -> None:
    (cluster,) = fleet(Plan(spokes=1, rollouts=100, rate=0))
    assert len(cluster.store.items("Rollout")) == 100


@pytest.fixture(scope="module")
def hour() -> tuple[Cluster, Counter[str], dict[str, list[datetime]]]:
    """A busy hour of one cluster: phases seen, and when each rollout waited for a person."""
    (cluster,) = fleet(Plan(spokes=1, rollouts=14, rate=8, seed=3))
    phases: Counter[str] = Counter()
    waited: dict[str, list[datetime]] = {}
    for now in live(cluster, timedelta(hours=1)):
        for rollout in cluster.store.items("Rollout"):
            status, name = status_of(rollout), rollout["metadata"]["name"]
            phases[status.get("phase", "")] += 1
            if pauses := status.get("pauseConditions"):
                begun = moment(pauses[0]["startTime"])
                waited.setdefault(name, []).append(begun)
                # Nobody is forgotten: the longest pause that ends by itself takes 20 s.
                assert now - begun < timedelta(seconds=100), (name, pauses)
    return cluster, phases, waited


def test_an_hour_has_all_phases(hour: tuple[Cluster, Counter[str], object]) -> None:
    _, phases, waited = hour
    assert set(phases) == {"Healthy", "Progressing", "Paused", "Degraded"}
    assert waited


def test_an_hour_has_everything_that_people_do(
    hour: tuple[Cluster, Counter[str], object],
) -> None:
    cluster, _, _ = hour
    reasons = {event["reason"] for event in cluster.store.items("Event")}
    assert reasons >= {
        "RolloutCompleted",
        "RolloutPaused",
        "RolloutResumed",
        "RolloutAborted",
        "RolloutStepCompleted",
        "AnalysisRunSuccessful",
        "SwitchService",
        "ScalingReplicaSet",
    }
    runs = {status_of(run)["phase"] for run in cluster.store.items("AnalysisRun")}
    assert runs >= {"Successful", "Failed"}


def test_an_hour_leaves_no_object_behind(hour: tuple[Cluster, Counter[str], object]) -> None:
    cluster, _, _ = hour
    store = cluster.store
    assert cluster.postponed == 0
    rollouts = len(store.items("Rollout"))
    # Three old ReplicaSets stay, and of each rollout's runs five that passed and five that did not.
    assert len(store.items("ReplicaSet")) <= 5 * rollouts
    assert len(store.items("AnalysisRun")) <= 11 * rollouts
    assert len(store.items("Event")) <= EVENTS
    sets = {rs["metadata"]["uid"] for rs in store.items("ReplicaSet")}
    owners = {pod["metadata"]["ownerReferences"][0]["uid"] for pod in store.items("Pod")}
    assert owners <= sets
