"""Promotion, by the state that it finds."""

import pytest

from planned import asked, planned, refused, sent
from rollgraph.core.actions.action import Promote, PromoteFull
from rollgraph.core.actions.plan import Plan, Reason, Uptake
from rollgraph.core.actions.promotion import uptake
from samples import Patch, manifest

PAUSED = "canary-paused-at-step-3"
RUN = {"name": "checkout-7f4c5d9b8d-5-3", "status": "Inconclusive"}
AT_ANALYSIS: Patch = {
    "spec": {
        "strategy": {"canary": {"steps": [{"setWeight": 20}, {"analysis": {}}, {"pause": {}}]}}
    },
    "status": {
        "phase": "Progressing",
        "currentStepIndex": 1,
        "pauseConditions": None,
        "controllerPause": None,
        "canary": {"currentStepAnalysisRunStatus": {**RUN, "status": "Running"}},
    },
}
NO_PAUSE: Patch = {"status": {"pauseConditions": None, "controllerPause": None}}


def test_ends_the_pause_of_a_step_and_leaves_the_rest_to_the_controller() -> None:
    plan = planned(Promote(), PAUSED)

    assert sent(plan) == [("status", {"status": {"pauseConditions": None}})]
    assert plan.message == "ends the pause of step 4 of 4 (pause)"


def test_leaves_a_running_analysis_with_all_that_belongs_to_its_step() -> None:
    plan = planned(Promote(), PAUSED, AT_ANALYSIS)

    status = {
        "pauseConditions": None,
        "controllerPause": False,
        "currentStepIndex": 2,
        "canary": {"currentStepAnalysisRunStatus": None},
    }
    assert sent(plan) == [("status", {"status": status})]
    assert plan.message == "leaves step 2 of 3 (analysis) before it is done"


@pytest.mark.parametrize(
    ("reason", "canary"),
    [
        ("InconclusiveAnalysisRun", {"currentStepAnalysisRunStatus": RUN}),
        ("InconclusiveExperiment", {"currentExperiment": "checkout-7f4c5d9b8d-5-1"}),
    ],
)
def test_takes_a_step_without_a_verdict_for_good(reason: str, canary: Patch) -> None:
    condition = {"reason": reason, "startTime": "2026-05-12T09:12:00Z"}
    status = {"pauseConditions": [condition], "controllerPause": True, "canary": canary}

    plan = planned(Promote(), PAUSED, {"status": {**status, "currentStepIndex": 1}})

    ((part, body),) = sent(plan)
    assert part == "status"
    assert body["status"] == {
        "pauseConditions": None,
        "controllerPause": False,
        "currentStepIndex": 2,
        "canary": dict.fromkeys(canary),
    }
    assert "although it was inconclusive" in plan.message


def test_lets_a_background_analysis_without_a_verdict_run_once_more() -> None:
    pauses = [{"reason": "InconclusiveAnalysisRun", "startTime": "2026-05-12T09:12:00Z"}]
    background = {"currentBackgroundAnalysisRunStatus": RUN}
    change = {"pauseConditions": pauses, "currentStepIndex": 2, "canary": background}

    plan = planned(Promote(), PAUSED, {"status": change})

    assert sent(plan) == [("status", {"status": {"pauseConditions": None}})]
    assert plan.message == "ends the pause after an inconclusive analysis, which runs once more"


def test_ends_the_pause_of_a_preview() -> None:
    plan = planned(Promote(), "blue-green-paused")

    assert sent(plan) == [("status", {"status": {"pauseConditions": None}})]
    assert plan.message == "ends the pause before the promotion"


def test_lets_the_time_of_a_preview_be_over() -> None:
    """To end its pause would begin it anew."""
    timed = {"autoPromotionEnabled": None, "autoPromotionSeconds": 600}

    plan = planned(Promote(), "blue-green-paused", {"spec": {"strategy": {"blueGreen": timed}}})

    pause = {"reason": "BlueGreenPause", "startTime": "2026-05-12T13:49:59Z"}
    assert sent(plan) == [("status", {"status": {"pauseConditions": [pause]}})]


def test_resumes_before_it_ends_a_pause_of_the_controller() -> None:
    plan = planned(Promote(), PAUSED, {"spec": {"paused": True}})

    assert sent(plan) == [
        ("", {"spec": {"paused": False}}),
        ("status", {"status": {"pauseConditions": None}}),
    ]
    assert plan.message == "resumes it and ends the pause of step 4 of 4 (pause)"


def test_leaves_a_running_step_before_it_resumes_lest_two_end() -> None:
    plan = planned(
        Promote(), PAUSED, {**AT_ANALYSIS, "spec": {**AT_ANALYSIS["spec"], "paused": True}}
    )

    assert [part for part, _ in sent(plan)] == ["status", ""]


def test_resumes_an_idle_rollout() -> None:
    plan = planned(Promote(), "canary-healthy", {"spec": {"paused": True}})

    assert sent(plan) == [("", {"spec": {"paused": False}})]
    assert plan.message == "resumes it"


@pytest.mark.parametrize("action", [Promote(), PromoteFull()])
def test_does_nothing_to_what_is_promoted(action: Promote | PromoteFull) -> None:
    assert not planned(action, "canary-healthy").patches
    assert not planned(action, "blue-green-paused", _promoted()).patches


def test_does_nothing_where_only_pods_are_waited_for() -> None:
    blue_green = planned(Promote(), "blue-green-paused", NO_PAUSE)
    done = planned(Promote(), PAUSED, {"status": {**NO_PAUSE["status"], "currentStepIndex": 4}})

    assert (blue_green.patches, done.patches) == ((), ())
    assert blue_green.message == "nothing holds it: it is promoted once its new pods are ready"
    assert done.message == "all steps are done: the last pods are being replaced"


def test_refuses_to_promote_what_is_aborted_for_nothing_would_happen() -> None:
    refusal = refused(Promote(), "canary-aborted")

    assert refusal.reason is Reason.NOT_APPLICABLE
    assert refusal.message == "the update is aborted: retry it first, or change the template"


@pytest.mark.parametrize("paused", [False, True])
def test_does_not_take_a_pause_that_was_just_ended_for_a_running_step(paused: bool) -> None:
    ended = {"spec": {"paused": paused}, "status": {"pauseConditions": None}}

    assert refused(Promote(), PAUSED, ended).reason is Reason.NOT_OBSERVED


@pytest.mark.parametrize("action", [Promote(), PromoteFull()])
@pytest.mark.parametrize(
    ("name", "patch"),
    [
        (PAUSED, {"metadata": {"generation": 9}}),
        (
            "workload-ref",
            {"metadata": {"annotations": {"rollout.argoproj.io/workload-generation": "4"}}},
        ),
    ],
)
def test_waits_until_the_newest_template_is_seen(
    action: Promote | PromoteFull, name: str, patch: Patch
) -> None:
    assert refused(action, name, patch).reason is Reason.NOT_OBSERVED


def test_refuses_what_the_controller_would_not_look_at() -> None:
    condition = {"type": "InvalidSpec", "status": "True", "message": "no such service"}

    refusal = refused(Promote(), PAUSED, {"status": {"conditions": [condition]}})

    assert refusal.reason is Reason.NOT_APPLICABLE
    assert refusal.message == "the spec is invalid, mend it first: no such service"


def test_in_full_says_which_template_is_meant() -> None:
    plan = planned(PromoteFull(), PAUSED)

    assert sent(plan) == [("status", {"status": {"promoteFull": True}})]
    assert plan.promotes == "7f4c5d9b8d"


def test_in_full_ends_a_pause_by_hand_too() -> None:
    plan = planned(PromoteFull(), "blue-green-paused", {"spec": {"paused": True}})

    assert sent(plan) == [
        ("", {"spec": {"paused": False}}),
        ("status", {"status": {"promoteFull": True}}),
    ]
    assert plan.message == "resumes it and promotes it in full"


def test_in_full_is_stronger_than_an_abort() -> None:
    plan = planned(PromoteFull(), "canary-aborted")

    assert sent(plan) == [("status", {"status": {"promoteFull": True}})]
    assert plan.message == "promotes it in full, although it was aborted"


def test_in_full_is_not_asked_for_twice() -> None:
    plan = planned(PromoteFull(), PAUSED, {"status": {"promoteFull": True}})

    assert (plan.patches, plan.message) == ((), "a full promotion is under way already")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"promoteFull": True}, Uptake.PENDING),
        ({"promoteFull": True, "currentStepIndex": 4, "pauseConditions": None}, Uptake.TAKEN),
        ({"stableRS": "7f4c5d9b8d", "promoteFull": None}, Uptake.TAKEN),
        ({"promoteFull": None}, Uptake.DROPPED),
        ({"currentPodHash": "c0ffee0000", "promoteFull": True}, Uptake.DROPPED),
    ],
)
def test_what_has_become_of_a_full_promotion(status: Patch, expected: Uptake) -> None:
    found = manifest(f"rollouts/{PAUSED}", {"status": status})

    assert uptake("7f4c5d9b8d", found) is expected


def test_the_same_rollout_gives_the_same_plan() -> None:
    first, second = asked(Promote(), PAUSED), asked(Promote(), PAUSED)

    assert isinstance(first, Plan)
    assert first == second


def _promoted() -> Patch:
    return {"status": {**NO_PAUSE["status"], "stableRS": "66d5f7b9c8"}}
