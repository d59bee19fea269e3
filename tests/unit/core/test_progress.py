"""How far an update has come."""

import pytest

from rollgraph.core.belongings import Belongings
from rollgraph.core.progress import Progress
from rollgraph.core.view import build_view
from samples import Patch, family, replica_set, rollout


def _progress(name: str, patch: Patch | None = None) -> Progress:
    own = Belongings(replica_sets=[replica_set("canary")])
    return build_view("east", rollout(name, patch), own).progress


NO_STEPS: Patch = {"strategy": {"canary": {"steps": None}}}


@pytest.mark.parametrize(
    ("name", "patch", "figures"),
    [
        pytest.param("canary-healthy", {}, (4, 4, 100), id="promoted"),
        pytest.param("canary-updating", {}, (4, 0, 0), id="first-step"),
        pytest.param("canary-paused-at-step-3", {}, (4, 3, 75), id="fourth-step"),
        pytest.param(
            "canary-updating",
            {"status": {"currentStepIndex": 4}},
            (4, 4, 99),
            id="steps-done-but-not-promoted",
        ),
        pytest.param(
            "canary-updating", {"status": {"currentStepIndex": 9}}, (4, 4, 99), id="beyond"
        ),
        pytest.param(
            "canary-updating", {"status": {"currentStepIndex": -2}}, (4, 0, 0), id="before"
        ),
        pytest.param("canary-aborted", {}, (4, 0, 0), id="aborted"),
        pytest.param(
            "canary-aborted",
            {"status": {"currentStepIndex": 3}},
            (4, 0, 0),
            id="abort-not-observed",
        ),
        pytest.param(
            "canary-updating", {"spec": NO_STEPS}, (0, 0, 20), id="no-steps-one-of-five-pods"
        ),
        pytest.param(
            "canary-updating",
            {"spec": {**NO_STEPS, "replicas": 1}},
            (0, 0, 99),
            id="no-steps-all-pods",
        ),
        pytest.param(
            "canary-updating",
            {"spec": {**NO_STEPS, "replicas": 0}},
            (0, 0, 99),
            id="no-steps-no-pods-wanted",
        ),
        pytest.param("blue-green-paused", {}, (0, 0, 0), id="blue-green"),
        pytest.param(
            "canary-healthy", {"metadata": {"generation": 9}}, (4, 4, 99), id="not-yet-observed"
        ),
        pytest.param("canary-healthy", {"status": "?"}, (0, 0, 0), id="unreadable"),
    ],
)
def test_steps_and_percent(name: str, patch: Patch, figures: tuple[int, int, int]) -> None:
    found = _progress(name, patch)
    assert (found.steps_total, found.steps_completed, found.percent) == figures


def test_a_blue_green_comes_as_far_as_its_new_pods() -> None:
    assert build_view("east", *family("blue-green-preview")).progress.percent == 50


def test_counts_that_make_no_sense_stay_within_0_and_100() -> None:
    negative = replica_set("canary", {"status": {"availableReplicas": -7}})
    at = rollout("canary-updating", {"spec": NO_STEPS})
    assert build_view("east", at, Belongings(replica_sets=[negative])).progress.percent == 0
