"""The phase and message of a rollout: the same sentences as the kubectl plugin's."""

import pytest

from rollgraph.core.phase import Phase, PhaseMessage, calculated_phase, phase
from samples import Patch, merged, rollout

SPEC = "waiting for rollout spec update to be observed"
WORKLOAD = f"{SPEC} for the reference workload"
UNPAUSE = "waiting for rollout to unpause"
HEALTHY = (Phase.HEALTHY, "")


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param("7", HEALTHY, id="observed"),
        pytest.param("6", (Phase.PROGRESSING, SPEC), id="behind"),
        pytest.param("8", HEALTHY, id="ahead-is-an-old-hash-of-digits"),
        pytest.param("5f79b78d7f", HEALTHY, id="a-hash-is-no-number"),
        pytest.param("", HEALTHY, id="absent"),
        pytest.param("6_0", HEALTHY, id="no-number-in-go"),
        pytest.param(" 6", HEALTHY, id="no-number-with-a-space"),
        pytest.param("1" * 30, HEALTHY, id="beyond-64-bits"),
        pytest.param("-1", (Phase.PROGRESSING, SPEC), id="negative"),
    ],
)
def test_r1_a_phase_counts_only_for_the_present_generation(
    observed: str, expected: PhaseMessage
) -> None:
    assert (
        phase(rollout("canary-healthy", {"status": {"observedGeneration": observed}})) == expected
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({}, (Phase.PAUSED, "CanaryPauseStep"), id="held"),
        pytest.param({"pauseConditions": None}, (Phase.PROGRESSING, UNPAUSE), id="promoted"),
        pytest.param({"pauseConditions": []}, (Phase.PROGRESSING, UNPAUSE), id="promoted-empty"),
        pytest.param(
            {"pauseConditions": None, "controllerPause": False},
            (Phase.PAUSED, "CanaryPauseStep"),
            id="not-the-controllers-pause",
        ),
    ],
)
def test_r2_a_cleared_pause_waits_for_the_controller(status: Patch, expected: PhaseMessage) -> None:
    assert phase(rollout("canary-paused-at-step-3", {"status": status})) == expected


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({}, HEALTHY, id="observed"),
        pytest.param(
            {"status": {"workloadObservedGeneration": "2"}},
            (Phase.PROGRESSING, WORKLOAD),
            id="behind",
        ),
        pytest.param(
            {"status": {"workloadObservedGeneration": "4"}},
            (Phase.PROGRESSING, WORKLOAD),
            id="ahead",
        ),
        pytest.param(
            {"status": {"workloadObservedGeneration": None}}, HEALTHY, id="never-observed"
        ),
        pytest.param({"status": {"workloadObservedGeneration": "x"}}, HEALTHY, id="no-number"),
        pytest.param({"metadata": {"annotations": None}}, HEALTHY, id="no-annotation"),
        pytest.param(
            {"spec": {"workloadRef": None}, "status": {"workloadObservedGeneration": "2"}},
            HEALTHY,
            id="no-workload",
        ),
    ],
)
def test_r3_correction_an_unobserved_template_of_the_workload_is_progress(
    patch: Patch, expected: PhaseMessage
) -> None:
    assert phase(rollout("workload-ref", patch)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Healthy", Phase.HEALTHY),
        ("Degraded", Phase.DEGRADED),
        ("Progressing", Phase.PROGRESSING),
        ("Paused", Phase.PAUSED),
        ("Resting", Phase.UNKNOWN),
    ],
)
def test_r4_the_controllers_own_phase_is_taken_with_its_message(text: str, expected: Phase) -> None:
    patch = {"status": {"phase": text, "message": "as it says"}}
    assert phase(rollout("canary-healthy", patch)) == (expected, "as it says")


def test_r5_without_the_controllers_phase_it_is_calculated() -> None:
    assert phase(rollout("before-1-0")) == HEALTHY
    assert phase(rollout("before-1-0", {"status": {"updatedReplicas": 2}})) == (
        Phase.PROGRESSING,
        "more replicas need to be updated",
    )


ABORTED = {"type": "Progressing", "reason": "RolloutAborted", "message": "by hand"}
TIMED_OUT = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too slow"}
INVALID = {"type": "InvalidSpec", "reason": "InvalidSpec", "message": "no steps"}
AVAILABLE = {"type": "Available", "reason": "AvailableReason", "message": "fine"}
PAUSED = [{"reason": "CanaryPauseStep"}, {"reason": "InconclusiveAnalysisRun"}]
AT = "2026-05-12T09:00:00Z"
STEPS = "waiting for all steps to complete"
RESTARTING = "rollout is restarting"


def _progressing(message: str) -> PhaseMessage:
    return PhaseMessage(Phase.PROGRESSING, message)


def _degraded(message: str) -> PhaseMessage:
    return PhaseMessage(Phase.DEGRADED, message)


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        pytest.param(
            {}, {"conditions": [INVALID]}, _degraded("InvalidSpec: no steps"), id="c1-spec"
        ),
        pytest.param(
            {}, {"conditions": [ABORTED]}, _degraded("RolloutAborted: by hand"), id="c1-abort"
        ),
        pytest.param(
            {},
            {"conditions": [TIMED_OUT]},
            _degraded("ProgressDeadlineExceeded: too slow"),
            id="c1-deadline",
        ),
        pytest.param(
            {"paused": True},
            {"conditions": [AVAILABLE, TIMED_OUT, INVALID]},
            _degraded("ProgressDeadlineExceeded: too slow"),
            id="c1-first-failure-in-order-and-before-pause",
        ),
        pytest.param(
            {}, {"conditions": [AVAILABLE]}, HEALTHY, id="c1-other-conditions-say-nothing"
        ),
        pytest.param(
            {"paused": True},
            {"pauseConditions": PAUSED},
            (Phase.PAUSED, "manually paused"),
            id="c2",
        ),
        pytest.param(
            {"restartAt": AT},
            {"pauseConditions": PAUSED},
            (Phase.PAUSED, "CanaryPauseStep"),
            id="c3",
        ),
        pytest.param(
            {"restartAt": AT},
            {"updatedReplicas": 0},
            _progressing(RESTARTING),
            id="c4-never-restarted",
        ),
        pytest.param(
            {"restartAt": AT},
            {"restartedAt": "2026-05-01T00:00:00Z"},
            _progressing(RESTARTING),
            id="c4-restarted-before",
        ),
        pytest.param({"restartAt": AT}, {"restartedAt": AT}, HEALTHY, id="c4-done"),
        pytest.param(
            {"restartAt": "2026-05-12T11:00:00+02:00"},
            {"restartedAt": AT},
            HEALTHY,
            id="c4-done-in-another-zone",
        ),
        pytest.param(
            {},
            {"updatedReplicas": 4, "availableReplicas": 3},
            _progressing("more replicas need to be updated"),
            id="c5",
        ),
        pytest.param(
            {"replicas": None},
            {"updatedReplicas": 1, "replicas": 1},
            HEALTHY,
            id="c5-one-by-default",
        ),
        pytest.param(
            {"replicas": None},
            {"updatedReplicas": 0},
            _progressing("more replicas need to be updated"),
            id="c5-default-missing",
        ),
        pytest.param(
            {},
            {"availableReplicas": 4, "stableRS": "other"},
            _progressing("updated replicas are still becoming available"),
            id="c6",
        ),
        pytest.param(
            {},
            {"replicas": 6, "stableRS": "other"},
            _progressing("old replicas are pending termination"),
            id="c8-old-pods",
        ),
        pytest.param(
            {"strategy": {"canary": {"trafficRouting": {"nginx": {}}}}},
            {"replicas": 6},
            HEALTHY,
            id="c8-old-pods-may-stay-with-a-router",
        ),
        pytest.param({}, {"stableRS": "other"}, _progressing(STEPS), id="c8-steps"),
        pytest.param({}, {"stableRS": None}, _progressing(STEPS), id="c8-first"),
        pytest.param(
            {},
            {"stableRS": None, "currentPodHash": None},
            _progressing(STEPS),
            id="c8-two-absent-hashes-are-not-a-promotion",
        ),
        pytest.param(
            {"strategy": {"canary": None}}, {"stableRS": "other"}, HEALTHY, id="c9-no-strategy"
        ),
        pytest.param({}, {}, HEALTHY, id="c9"),
    ],
)
def test_calculated_for_a_canary(spec: Patch, status: Patch, expected: PhaseMessage) -> None:
    assert calculated_phase(rollout("canary-healthy", {"spec": spec, "status": status})) == expected


NEW = {"activeSelector": "66d5f7b9c8"}
CUTOVER = "active service cutover pending"
VERIFY = "waiting for post-promotion verification to complete"
ANALYSIS = "waiting for analysis to complete"


def _blue_green_promoted(patch: Patch) -> PhaseMessage:
    base: Patch = {"status": {"pauseConditions": None, "blueGreen": NEW, "stableRS": "66d5f7b9c8"}}
    return calculated_phase(rollout("blue-green-paused", merged(base, patch)))


POST: Patch = {"strategy": {"blueGreen": {"postPromotionAnalysis": {"templates": []}}}}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param(
            {"status": {"blueGreen": {"activeSelector": None}}},
            _progressing(CUTOVER),
            id="no-active",
        ),
        pytest.param(
            {"status": {"blueGreen": {"activeSelector": "old"}}},
            _progressing(CUTOVER),
            id="old-active",
        ),
        pytest.param({"status": {"stableRS": "old"}}, _progressing(VERIFY), id="unverified"),
        pytest.param({"status": {"stableRS": None}}, _progressing(VERIFY), id="unverified-first"),
        pytest.param(
            {"spec": POST, "status": {"stableRS": "old"}},
            _progressing(ANALYSIS),
            id="analysis-unstarted",
        ),
        *(
            pytest.param(
                {
                    "spec": POST,
                    "status": {
                        "stableRS": "old",
                        "blueGreen": {"postPromotionAnalysisRunStatus": {"status": text}},
                    },
                },
                _progressing(message),
                id=f"analysis-{text}",
            )
            for text, message in [
                ("", ANALYSIS),
                ("Pending", ANALYSIS),
                ("Running", ANALYSIS),
                ("Successful", VERIFY),
                ("Failed", VERIFY),
                ("Error", VERIFY),
                ("Inconclusive", VERIFY),
            ]
        ),
        pytest.param({"status": {"replicas": 9}}, HEALTHY, id="old-pods-may-stay"),
        pytest.param({}, HEALTHY, id="done"),
    ],
)
def test_c7_calculated_for_a_blue_green(patch: Patch, expected: PhaseMessage) -> None:
    assert _blue_green_promoted(patch) == expected
