"""What a rollout waits for, since when, until when, and whether a person must act."""

from datetime import UTC, datetime

import pytest

from rollgraph.core.belongings import Belongings
from rollgraph.core.view import build_view
from rollgraph.core.waiting import Waiting, WaitReason
from samples import Patch, family, merged, rollout


def _waits(name: str, patch: Patch | None = None) -> Waiting | None:
    return build_view("east", rollout(name, patch), Belongings()).progress.waiting


def _family_waits(patch: Patch | None = None) -> Waiting | None:
    return build_view("east", *family("canary-at-20-percent", patch)).progress.waiting


def _at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 5, 12, hour, minute, second, tzinfo=UTC)


def _progressing(**status: object) -> Patch:
    return {"status": {"phase": "Progressing", "message": "m", **status}}


INCONCLUSIVE = {"reason": "InconclusiveAnalysisRun", "startTime": "2026-05-12T09:05:00Z"}
HELD = {"reason": "CanaryPauseStep", "startTime": "2026-05-12T09:01:00Z"}


@pytest.mark.parametrize(
    ("name", "patch", "reason", "human"),
    [
        pytest.param("canary-healthy", {}, None, False, id="healthy"),
        pytest.param(
            "canary-healthy",
            {"metadata": {"generation": 8}},
            WaitReason.CONTROLLER,
            False,
            id="spec-not-observed",
        ),
        pytest.param(
            "workload-ref",
            {"status": {"workloadObservedGeneration": "2"}},
            WaitReason.CONTROLLER,
            False,
            id="workload-not-observed",
        ),
        pytest.param(
            "canary-paused-at-step-3",
            {"status": {"pauseConditions": None}},
            WaitReason.CONTROLLER,
            False,
            id="promotion-not-observed",
        ),
        pytest.param(
            "canary-paused-at-step-3",
            {"status": {"abort": True}},
            WaitReason.CONTROLLER,
            False,
            id="abort-not-observed",
        ),
        pytest.param(
            "canary-aborted",
            {"status": {"abort": False}},
            WaitReason.CONTROLLER,
            False,
            id="retry-not-observed",
        ),
        pytest.param("canary-paused-for-5m", {}, WaitReason.PAUSE, False, id="timed-pause"),
        pytest.param("canary-paused-at-step-3", {}, WaitReason.PROMOTION, True, id="endless-pause"),
        pytest.param(
            "canary-updating",
            {"status": {"phase": "Paused", "pauseConditions": [{"reason": "Later"}]}},
            WaitReason.PROMOTION,
            True,
            id="pause-of-a-later-version",
        ),
        pytest.param(
            "canary-updating",
            {"status": {"phase": "Paused"}},
            WaitReason.PROMOTION,
            True,
            id="pause-without-condition",
        ),
        pytest.param("blue-green-paused", {}, WaitReason.PROMOTION, True, id="preview"),
        pytest.param(
            "canary-paused-at-step-3",
            {"status": {"pauseConditions": [INCONCLUSIVE]}},
            WaitReason.JUDGEMENT,
            True,
            id="inconclusive-analysis",
        ),
        pytest.param(
            "canary-paused-at-step-3",
            {"status": {"pauseConditions": [{"reason": "InconclusiveExperiment"}]}},
            WaitReason.JUDGEMENT,
            True,
            id="inconclusive-experiment",
        ),
        pytest.param(
            "canary-paused-for-5m",
            {"status": {"pauseConditions": [HELD, INCONCLUSIVE]}},
            WaitReason.JUDGEMENT,
            True,
            id="inconclusive-behind-a-timed-pause",
        ),
        pytest.param(
            "canary-healthy",
            {"spec": {"paused": True}},
            WaitReason.UNPAUSE,
            True,
            id="paused-by-hand",
        ),
        pytest.param(
            "canary-paused-for-5m",
            {"spec": {"paused": True}},
            WaitReason.UNPAUSE,
            True,
            id="paused-by-hand-beats-a-timed-pause",
        ),
        pytest.param("canary-updating", {}, WaitReason.PODS, False, id="pods"),
        pytest.param(
            "canary-updating",
            _progressing(currentStepIndex=4),
            WaitReason.PODS,
            False,
            id="all-steps-done",
        ),
        pytest.param(
            "canary-updating",
            _progressing(currentStepIndex=1),
            WaitReason.CONTROLLER,
            False,
            id="pause-about-to-begin",
        ),
        pytest.param(
            "canary-updating",
            _progressing(currentStepIndex=1, promoteFull=True),
            WaitReason.PODS,
            False,
            id="full-promotion-skips-the-pause",
        ),
        pytest.param(
            "canary-routed-at-30",
            {"status": {"canary": {"weights": {"verified": False}}}},
            WaitReason.TRAFFIC,
            False,
            id="router-not-confirmed",
        ),
        pytest.param("canary-routed-at-30", {}, WaitReason.PODS, False, id="router-confirmed"),
        pytest.param(
            "canary-routed-at-30",
            {"status": {"canary": {"weights": {"verified": None}}}},
            WaitReason.PODS,
            False,
            id="router-not-asked",
        ),
        pytest.param(
            "canary-routed-at-30",
            {"status": {"currentStepIndex": 0, "canary": {"weights": {"verified": False}}}},
            WaitReason.PODS,
            False,
            id="unconfirmed-weights-hold-only-a-weight-step",
        ),
        pytest.param(
            "canary-healthy",
            _progressing(message="rollout is restarting"),
            WaitReason.RESTART,
            False,
            id="restart",
        ),
        pytest.param("canary-aborted", {}, WaitReason.RETRY, True, id="aborted"),
        pytest.param(
            "canary-updating",
            {"status": {"phase": "Degraded", "message": "ProgressDeadlineExceeded: slow"}},
            WaitReason.FIX,
            True,
            id="deadline-exceeded",
        ),
        pytest.param(
            "canary-updating",
            {"status": {"phase": "Degraded", "message": "InvalidSpec: no"}},
            WaitReason.FIX,
            True,
            id="invalid-spec",
        ),
        pytest.param(
            "canary-updating",
            {"status": {"phase": "Later"}},
            None,
            False,
            id="phase-of-a-later-version",
        ),
        pytest.param("canary-updating", {"spec": {"paused": "yes"}}, None, False, id="unreadable"),
    ],
)
def test_the_next_thing_that_has_to_happen(
    name: str, patch: Patch, reason: WaitReason | None, human: bool
) -> None:
    found = _waits(name, patch)
    assert (found.reason if found else None) is reason
    assert (found.human if found else False) is human
    assert found is None or found.message


def test_a_timed_pause_has_an_exact_end() -> None:
    found = _waits("canary-paused-for-5m")
    assert found is not None
    assert (found.since, found.until, found.exact) == (_at(9, 1), _at(9, 6), True)


def test_an_endless_pause_has_only_a_beginning() -> None:
    found = _waits("canary-paused-at-step-3")
    assert found is not None
    assert (found.since, found.until) == (_at(9, 12), None)


def test_a_judgement_is_due_since_the_inconclusive_pause_began() -> None:
    patch: Patch = {"status": {"pauseConditions": [HELD, INCONCLUSIVE]}}
    found = _waits("canary-paused-for-5m", patch)
    assert found is not None
    assert found.message == "the analysis was inconclusive: promote or abort"
    assert (found.since, found.until) == (_at(9, 5), None)


def test_an_experiment_may_be_inconclusive_too() -> None:
    patch: Patch = {"status": {"pauseConditions": [{"reason": "InconclusiveExperiment"}]}}
    found = _waits("canary-paused-at-step-3", patch)
    assert found is not None
    assert found.message == "the experiment was inconclusive: promote or abort"


@pytest.mark.parametrize(
    ("enabled", "seconds", "reason", "until"),
    [
        pytest.param(False, None, WaitReason.PROMOTION, None, id="off"),
        pytest.param(False, 60, WaitReason.PROMOTION, None, id="off-whatever-the-seconds"),
        pytest.param(None, 60, WaitReason.PAUSE, _at(14, 1), id="on-by-default"),
        pytest.param(True, 60, WaitReason.PAUSE, _at(14, 1), id="on"),
        pytest.param(True, None, WaitReason.PAUSE, _at(14, 0), id="on-at-once"),
    ],
)
def test_a_blue_green_promotes_itself_unless_that_is_off(
    enabled: bool | None, seconds: int | None, reason: WaitReason, until: datetime | None
) -> None:
    strategy: Patch = {"autoPromotionEnabled": enabled, "autoPromotionSeconds": seconds}
    found = _waits("blue-green-paused", {"spec": {"strategy": {"blueGreen": strategy}}})
    assert found is not None
    assert (found.reason, found.since, found.until) == (reason, _at(14, 0), until)
    assert found.human is (reason is WaitReason.PROMOTION)


def test_a_blue_green_pause_of_a_rollout_that_is_none_any_more_waits_for_a_person() -> None:
    found = _waits("blue-green-paused", {"spec": {"strategy": {"blueGreen": None, "canary": {}}}})
    assert found is not None
    assert found.reason is WaitReason.PROMOTION


def test_an_abort_is_dated() -> None:
    found = _waits("canary-aborted")
    assert found is not None
    assert found.since == _at(9, 15, 30)


@pytest.mark.parametrize(
    ("conditions", "seconds", "deadline"),
    [
        pytest.param({}, None, _at(9, 10, 5), id="ten-minutes-by-default"),
        pytest.param({}, 60, _at(9, 1, 5), id="a-minute"),
        pytest.param({"type": "Available"}, 60, None, id="no-progressing-condition"),
        pytest.param({"lastUpdateTime": None}, 60, None, id="undated"),
        pytest.param({"reason": "RolloutPaused"}, 60, None, id="paused"),
        pytest.param({"reason": "RolloutAborted"}, 60, None, id="aborted-before-a-retry"),
        pytest.param({}, 10**18, None, id="beyond-the-calendar"),
    ],
)
def test_pods_have_until_the_progress_deadline(
    conditions: Patch, seconds: int | None, deadline: datetime | None
) -> None:
    progressing = {
        "type": "Progressing",
        "reason": "ReplicaSetUpdated",
        "lastUpdateTime": "2026-05-12T09:00:05Z",
    }
    patch: Patch = {
        "spec": {"progressDeadlineSeconds": seconds},
        "status": {"conditions": [merged(progressing, conditions)]},
    }
    found = _waits("canary-updating", patch)
    assert found is not None
    assert (found.reason, found.deadline) == (WaitReason.PODS, deadline)


def test_a_router_has_until_the_progress_deadline_too() -> None:
    patch: Patch = {"status": {"canary": {"weights": {"verified": False}}}}
    found = _waits("canary-routed-at-30", patch)
    assert found is not None
    assert found.deadline == _at(11, 10)


@pytest.mark.parametrize(
    ("written", "reason", "since", "until"),
    [
        pytest.param(
            "2026-05-12T15:00:00Z", WaitReason.POSTPONED_RESTART, None, _at(16, 0), id="ahead"
        ),
        pytest.param("2026-05-12T16:00:05Z", WaitReason.RESTART, _at(16, 0), None, id="under-way"),
        pytest.param(
            None, WaitReason.RESTART, _at(16, 0), None, id="nobody-says-when-it-was-written"
        ),
    ],
)
def test_a_restart_for_later_is_told_from_one_under_way_by_the_latest_write(
    written: str | None, reason: WaitReason, since: datetime | None, until: datetime | None
) -> None:
    patch = _progressing(message="rollout is restarting")
    patch["metadata"] = {"managedFields": [{"time": written}]}
    patch["spec"] = {"restartAt": "2026-05-12T16:00:00Z"}
    found = _waits("canary-healthy", patch)
    assert found is not None
    assert (found.reason, found.since, found.until) == (reason, since, until)


def test_a_restart_that_is_done_is_not_waited_for() -> None:
    at = "2026-05-12T16:00:00Z"
    patch: Patch = {"spec": {"restartAt": at}, "status": {"restartedAt": at}}
    assert _waits("canary-healthy", patch) is None


def test_an_analysis_step_waits_for_its_own_run_at_least_until_its_last_measurement() -> None:
    found = _family_waits()
    assert found is not None
    assert (found.reason, found.message) == (
        WaitReason.ANALYSIS,
        "analysis checkout-7f4c5d9b8d-5-1",
    )
    assert (found.since, found.until, found.exact) == (_at(9, 10), _at(9, 14), False)


STEP_RUN = "currentStepAnalysisRunStatus"


@pytest.mark.parametrize(
    ("canary", "message"),
    [
        pytest.param({STEP_RUN: None}, "the analysis is about to begin", id="no-run"),
        pytest.param(
            {STEP_RUN: {"status": "Successful"}},
            "the analysis is about to begin",
            id="an-earlier-run",
        ),
        pytest.param(
            {STEP_RUN: {"name": "unseen"}}, "analysis unseen", id="a-run-that-we-do-not-see"
        ),
    ],
)
def test_an_analysis_step_waits_also_for_a_run_that_is_not_there(
    canary: Patch, message: str
) -> None:
    found = _family_waits({"status": {"canary": canary}})
    assert found == Waiting(
        WaitReason.ANALYSIS, message, exact=message == "the analysis is about to begin"
    )


def test_a_background_analysis_holds_nothing() -> None:
    found = _family_waits({"status": {"currentStepIndex": 0}})
    assert found is not None
    assert found.reason is WaitReason.PODS


@pytest.mark.parametrize(
    "when", ["prePromotionAnalysisRunStatus", "postPromotionAnalysisRunStatus"]
)
def test_a_blue_green_waits_for_its_analysis(when: str) -> None:
    patch = _progressing(blueGreen={when: {"name": "ledger-1", "status": "Running"}})
    found = _waits("blue-green-paused", patch)
    assert found is not None
    assert (found.reason, found.message) == (WaitReason.ANALYSIS, "analysis ledger-1")


def test_an_experiment_step_ends_at_the_earliest_when_its_duration_has_passed() -> None:
    found = _family_waits({"status": {"currentStepIndex": 2}})
    assert found is not None
    assert (found.reason, found.exact) == (WaitReason.EXPERIMENT, False)
    assert (found.since, found.until) == (_at(9, 20), _at(9, 31))


def test_an_experiment_that_does_not_exist_yet_is_about_to_begin() -> None:
    patch: Patch = {"status": {"currentStepIndex": 2, "canary": {"currentExperiment": None}}}
    assert _family_waits(patch) == Waiting(
        WaitReason.EXPERIMENT, "the experiment is about to begin"
    )


def test_a_plugin_step_waits_for_its_plugin() -> None:
    ran = {"index": 0, "name": "org/gate", "phase": "Running", "startedAt": "2026-05-12T09:00:01Z"}
    patch: Patch = {
        "spec": {"strategy": {"canary": {"steps": [{"plugin": {"name": "org/gate"}}]}}},
        "status": {"canary": {"stepPluginStatuses": [ran]}},
    }
    found = _waits("canary-updating", patch)
    assert found == Waiting(WaitReason.PLUGIN, "plugin org/gate", since=_at(9, 0, 1))
