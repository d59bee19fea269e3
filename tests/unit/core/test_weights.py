"""How much traffic the canary should get, and does get."""

import pytest

from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import ReplicaSet
from rollgraph.core.replicasets import replica_set_views
from rollgraph.core.steps import steps
from rollgraph.core.weights import Weights, weights
from samples import Patch, replica_set, rollout


def _weights(at: Rollout, *replica_sets: ReplicaSet) -> Weights | None:
    return weights(at, steps(at), replica_set_views(at.metadata.uid, at, replica_sets, ()))


def _figures(at: Rollout, *replica_sets: ReplicaSet) -> tuple[int, int]:
    found = _weights(at, *replica_sets)
    assert found is not None
    return found.desired, found.actual


@pytest.mark.parametrize(
    ("status", "desired"),
    [
        pytest.param({"currentStepIndex": 0}, 20, id="at-a-weight"),
        pytest.param({"currentStepIndex": 1}, 20, id="after-a-weight"),
        pytest.param({"currentStepIndex": 3}, 60, id="after-the-last"),
        pytest.param({"currentStepIndex": 4}, 100, id="done"),
        pytest.param({"currentStepIndex": None}, 20, id="no-index"),
        pytest.param({"currentStepIndex": 3, "abort": True}, 0, id="aborted"),
    ],
)
def test_the_last_weight_at_or_before_the_step_is_desired(status: Patch, desired: int) -> None:
    assert _figures(rollout("canary-updating", {"status": status}))[0] == desired


def test_before_the_first_weight_none_is_desired() -> None:
    assert _figures(rollout("canary-routed-at-30", {"status": {"currentStepIndex": 0}}))[0] == 0


@pytest.mark.parametrize(
    ("status", "available", "actual"),
    [
        pytest.param({"availableReplicas": 5}, 1, 20, id="one-of-five"),
        pytest.param({"availableReplicas": 3}, 1, 33, id="rounded-down"),
        pytest.param({"availableReplicas": 0}, 1, 0, id="none-available"),
        pytest.param({"availableReplicas": 5}, 0, 0, id="canary-not-available"),
        pytest.param({"currentStepIndex": 4, "availableReplicas": 0}, 0, 100, id="done"),
        pytest.param({"abort": True, "availableReplicas": 5}, 1, 20, id="aborted-but-still-there"),
    ],
)
def test_without_a_router_the_canarys_share_of_available_pods_is_its_weight(
    status: Patch, available: int, actual: int
) -> None:
    canary = replica_set("canary", {"status": {"availableReplicas": available}})
    assert _figures(rollout("canary-updating", {"status": status}), canary)[1] == actual


def test_without_a_canary_replica_set_its_weight_is_zero() -> None:
    assert _figures(rollout("canary-updating")) == (20, 0)


def test_a_router_tells_the_weight_whatever_the_pods_are() -> None:
    found = _weights(rollout("canary-routed-at-30"))
    assert found is not None
    assert (found.desired, found.actual, found.maximum, found.verified) == (30, 30, 100, True)
    assert found.routed is not None
    assert found.routed.stable.weight == 70


@pytest.mark.parametrize(
    ("status", "figures"),
    [
        pytest.param({"canary": {"weights": None}}, (30, 30), id="not-told-yet"),
        pytest.param({"canary": {"weights": {"canary": {"weight": 10}}}}, (30, 10), id="behind"),
        pytest.param({"availableReplicas": 0}, (30, 0), id="no-available-pods"),
        pytest.param({"abort": True, "canary": {"weights": None}}, (0, 0), id="aborted"),
        pytest.param({"currentStepIndex": 3}, (100, 100), id="done"),
    ],
)
def test_with_a_router(status: Patch, figures: tuple[int, int]) -> None:
    assert _figures(rollout("canary-routed-at-30", {"status": status})) == figures


@pytest.mark.parametrize(
    ("value", "maximum"),
    [
        (1000, 1000),
        (None, 100),
        (0, 100),
        (-1, 100),
        ("1000", 100),
        pytest.param(True, 100, id="bool"),
    ],
)
def test_weights_are_in_units_of_the_routers_maximum(value: object, maximum: int) -> None:
    routing: Patch = {
        "spec": {"strategy": {"canary": {"trafficRouting": {"maxTrafficWeight": value}}}}
    }
    done: Patch = {"status": {"currentStepIndex": 3}}
    found = _weights(rollout("canary-routed-at-30", routing | done))
    assert found is not None
    assert (found.desired, found.actual, found.maximum) == (maximum, maximum, maximum)


def test_weights_that_a_router_left_behind_do_not_count_without_one() -> None:
    patch: Patch = {"spec": {"strategy": {"canary": {"trafficRouting": None}}}}
    found = _weights(rollout("canary-routed-at-30", patch))
    assert found is not None
    assert (found.actual, found.verified, found.routed) == (0, None, None)


NO_STEPS: Patch = {"strategy": {"canary": {"steps": None}}}


@pytest.mark.parametrize(
    ("status", "figures"),
    [
        pytest.param({}, (100, 20), id="updating"),
        pytest.param({"stableRS": "7f4c5d9b8d"}, (100, 100), id="promoted"),
        pytest.param({"availableReplicas": 0}, (100, 0), id="none-available"),
    ],
)
def test_correction_a_canary_without_steps_is_not_at_its_maximum_at_once(
    status: Patch, figures: tuple[int, int]
) -> None:
    at = rollout("canary-updating", {"spec": NO_STEPS, "status": status})
    assert _figures(at, replica_set("canary")) == figures


@pytest.mark.parametrize(
    "at",
    [rollout("blue-green-paused"), rollout("canary-updating", {"spec": {"strategy": None}})],
    ids=["blue-green", "none"],
)
def test_only_a_canary_has_weights(at: Rollout) -> None:
    assert _weights(at) is None
