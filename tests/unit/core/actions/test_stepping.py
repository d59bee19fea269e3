"""Steps skipped, and steps jumped to."""

import pytest

from planned import planned, refused, sent
from rollgraph.core.actions.action import JumpToStep, SkipStep
from rollgraph.core.actions.plan import Reason
from samples import Patch

PAUSED = "canary-paused-at-step-3"
ON = {"pauseConditions": None, "controllerPause": False}
# After two plugin steps; as the controller leaves it.
PLUGINS: Patch = {
    "status": {
        "canary": {
            "stepPluginStatuses": [
                {"index": 0, "name": "org/gate", "operation": "Run", "phase": "Successful"},
                {"index": 2, "name": "org/gate", "operation": "Run", "phase": "Successful"},
            ]
        }
    }
}


def test_skipping_a_pause_leaves_nothing_that_ends_the_next_one_too() -> None:
    plan = planned(SkipStep(), PAUSED, {"status": {"currentStepIndex": 1}})

    assert sent(plan) == [("status", {"status": {**ON, "currentStepIndex": 2}})]
    assert plan.message == "skips step 2 of 4 (pause: 5m)"


def test_skipping_keeps_a_pause_by_hand() -> None:
    plan = planned(SkipStep(), PAUSED, {"spec": {"paused": True}})

    assert [part for part, _ in sent(plan)] == ["status"]
    assert plan.message.endswith("it stays paused until it is resumed")


@pytest.mark.parametrize("index", [0, 2, 4])
def test_any_step_can_be_jumped_to_and_the_end_as_well(index: int) -> None:
    plan = planned(JumpToStep(index), PAUSED)

    assert sent(plan) == [("status", {"status": {**ON, "currentStepIndex": index}})]


def test_a_step_jumped_back_to_runs_again_even_if_it_is_a_plugins() -> None:
    plan = planned(JumpToStep(1), PAUSED, PLUGINS)

    (_, body), *_ = sent(plan)
    kept = body["status"]["canary"]["stepPluginStatuses"]
    assert [item["index"] for item in kept] == [0]


def test_what_plugins_have_done_before_is_kept() -> None:
    (_, body), *_ = sent(planned(SkipStep(), PAUSED, PLUGINS))

    assert "canary" not in body["status"]


def test_the_step_where_it_is_needs_no_jump() -> None:
    plan = planned(JumpToStep(3), PAUSED)

    assert (plan.patches, plan.message) == ((), "the rollout is at step 4 of 4 (pause) already")


@pytest.mark.parametrize("index", [-1, 5])
def test_a_step_that_is_not_there_is_no_aim(index: int) -> None:
    refusal = refused(JumpToStep(index), PAUSED)

    assert refusal.reason is Reason.INVALID
    assert refusal.message.endswith("the 4 steps count from 0, and 4 means that all are done")


@pytest.mark.parametrize("action", [SkipStep(), JumpToStep(0)])
@pytest.mark.parametrize(
    ("name", "patch", "words"),
    [
        ("blue-green-paused", None, "only a canary has steps"),
        ("workload-ref", None, "the canary has no steps"),
        ("canary-aborted", None, "the update is aborted"),
        ("canary-healthy", None, "no update is under way"),
        (PAUSED, {"status": {"promoteFull": True}}, "a full promotion is under way"),
    ],
)
def test_steps_are_left_only_where_they_are_run(
    action: SkipStep | JumpToStep, name: str, patch: Patch | None, words: str
) -> None:
    refusal = refused(action, name, patch)

    assert refusal.reason is Reason.NOT_APPLICABLE
    assert refusal.message.startswith(words)


def test_behind_the_last_step_there_is_none_to_skip() -> None:
    refusal = refused(SkipStep(), PAUSED, {"status": {"currentStepIndex": 4}})

    assert refusal.message == "all steps are done: the last pods are being replaced"
