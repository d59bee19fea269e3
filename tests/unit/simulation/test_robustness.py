"""No manifest that a client can write stops the simulation."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.manifests import status_of
from rollgraph.simulation.node import AT_ONCE

NOW = datetime(2026, 1, 1, tzinfo=UTC)

GOOD: dict[str, Any] = {
    "replicas": 1,
    "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"nodeName": "n", "containers": [{"name": "a", "image": "a:1"}]},
    },
    "strategy": {"canary": {}},
}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"strategy": None},
        {**GOOD, "strategy": {"canary": {"steps": [{"pause": {"duration": {}}}, None, 7]}}},
        {**GOOD, "strategy": {"canary": {"maxSurge": "many"}}},
        {**GOOD, "template": {"spec": {"containers": [{"image": None}]}}},
        {**GOOD, "template": "none"},
        {**GOOD, "restartAt": "yesterday"},
        {**GOOD, "workloadRef": {"kind": "Deployment", "name": "none"}, "template": None},
        {**GOOD, "strategy": {"blueGreen": {}}},
    ],
)
def test_a_rollout_that_makes_no_sense_does_not_hold_up_the_others(spec: dict[str, Any]) -> None:
    cluster = Cluster("c", 1, pace=AT_ONCE)
    for name, of_rollout in (("a-bad", spec), ("b-good", GOOD)):
        metadata = {"name": name, "namespace": "n"}
        rollout = {"kind": "Rollout", "metadata": metadata, "spec": of_rollout}
        cluster.store.create(rollout, NOW, "test")
    cluster.act(NOW)
    good = cluster.store.get("Rollout", "n", "b-good")
    assert status_of(good)["phase"] == "Healthy"


@pytest.mark.parametrize(
    ("strategy", "word"),
    [
        ({"canary": {"trafficRouting": {"nginx": {}}}}, "trafficRouting"),
        ({"canary": {"steps": [{"experiment": {}}]}}, "experiment"),
        ({"canary": {"steps": [{"plugin": {"name": "x"}}]}}, "plugin"),
    ],
)
def test_what_is_not_played_says_so(strategy: dict[str, Any], word: str) -> None:
    cluster = Cluster("c", 1, pace=AT_ONCE)
    metadata = {"name": "a", "namespace": "n"}
    rollout = {"kind": "Rollout", "metadata": metadata, "spec": {**GOOD, "strategy": strategy}}
    cluster.store.create(rollout, NOW, "test")
    cluster.act(NOW)
    status = status_of(cluster.store.get("Rollout", "n", "a"))
    assert status["phase"] == "Degraded"
    assert f'"{word}": not part of the simulation' in status["message"]
