"""How many pods a canary has at each weight: the cases that Argo Rollouts itself is tested with."""

import json
from typing import Any

import pytest

from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.controller.scaling import basic_canary
from rollgraph.simulation.manifests import Manifest
from samples import DATA

# The table of TestCalculateReplicaCountsForCanary (utils/replicaset/canary_test.go of 1.10.1),
# without the cases of fields that are not played.
CASES = [
    json.loads(line)
    for line in (DATA / "simulation" / "canary-counts.jsonl").read_text("utf-8").splitlines()
]


def replica_set(name: str, count: int, available: int | None = None) -> Manifest:
    return {
        "metadata": {"name": name, "labels": {"rollouts-pod-template-hash": name}},
        "spec": {"replicas": count},
        "status": {
            "replicas": count,
            "availableReplicas": count if available is None else available,
        },
    }


def rollout(replicas: int, weight: int, *, status: Manifest | None = None, **more: Any) -> Facts:
    canary = {"steps": [{"setWeight": weight}], **more}
    return Facts(
        {
            "metadata": {"name": "r"},
            "spec": {"replicas": replicas, "strategy": {"canary": canary}},
            "status": {"stableRS": "old", "currentPodHash": "new", **(status or {})},
        }
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_canary_moves_as_upstream_says(case: dict[str, Any]) -> None:
    facts = rollout(
        case["replicas"],
        case["weight"],
        maxSurge=case["maxSurge"],
        maxUnavailable=case["maxUnavailable"],
        status={"promoteFull": case["promoteFull"], "abort": case["abort"]},
    )
    new, stable = replica_set("new", *case["canary"]), replica_set("old", *case["stable"])
    older = [replica_set("older", *case["older"])] if case["older"] else []
    assert list(basic_canary(facts, new, stable, older)) == case["expected"]


@pytest.mark.parametrize("weight", range(0, 101, 5))
@pytest.mark.parametrize("replicas", [1, 2, 3, 5, 10])
def test_a_canary_comes_to_rest_near_its_weight(replicas: int, weight: int) -> None:
    facts = rollout(replicas, weight)
    counts = (0, replicas)
    for _ in range(50):
        after = basic_canary(
            facts, replica_set("new", counts[0]), replica_set("old", counts[1]), []
        )
        if after == counts:
            break
        counts = after
    else:
        pytest.fail(f"never at rest: {counts}")
    new, old = counts
    assert replicas <= new + old <= replicas + facts.max_surge
    # One pod more or less is as near as pods can come, but both kinds are there in between.
    assert abs(new - replicas * weight / 100) <= 1
    assert weight in (0, 100) or (new > 0 and old > 0)
