"""The steps of a canary: every kind, where each stands, and which one is current."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.steps import (
    AnalysisStep,
    AnyStep,
    ExperimentStep,
    PauseStep,
    PluginStep,
    SetCanaryScaleStep,
    SetHeaderRouteStep,
    SetMirrorRouteStep,
    SetWeightStep,
    StepState,
    UnknownStep,
    current_step,
    step_index,
    steps,
)
from samples import Patch, rollout

CURRENT = StepState.CURRENT
MATCH = [{"headerName": "x-tester", "headerValue": {"exact": "1"}}]


def _at_first_step(step: Any, status: Patch | None = None) -> Rollout:
    patch: Patch = {"spec": {"strategy": {"canary": {"steps": [step]}}}, "status": status or {}}
    return rollout("canary-updating", patch)


def _read(step: Any, status: Patch | None = None) -> AnyStep:
    (read,) = steps(_at_first_step(step, status))
    return read


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            {"setWeight": 20}, SetWeightStep(0, CURRENT, "setWeight: 20", weight=20), id="setWeight"
        ),
        pytest.param(
            {"setWeight": 0}, SetWeightStep(0, CURRENT, "setWeight: 0", weight=0), id="setWeight-0"
        ),
        pytest.param({"pause": {}}, PauseStep(0, CURRENT, "pause"), id="pause"),
        pytest.param(
            {"pause": {"duration": None}}, PauseStep(0, CURRENT, "pause"), id="pause-null"
        ),
        pytest.param(
            {"pause": {"duration": 90}},
            PauseStep(0, CURRENT, "pause: 90", duration=timedelta(seconds=90)),
            id="pause-seconds",
        ),
        pytest.param(
            {"pause": {"duration": "90"}},
            PauseStep(0, CURRENT, "pause: 90", duration=timedelta(seconds=90)),
            id="pause-digits",
        ),
        pytest.param(
            {"pause": {"duration": "1h"}},
            PauseStep(0, CURRENT, "pause: 1h", duration=timedelta(hours=1)),
            id="pause-text",
        ),
        pytest.param(
            {"pause": {"duration": "a while"}},
            PauseStep(0, CURRENT, "pause: a while", duration=timedelta(0)),
            id="pause-that-cannot-be-read-has-no-length",
        ),
        pytest.param(
            {"setCanaryScale": {"weight": 25}},
            SetCanaryScaleStep(0, CURRENT, "setCanaryScale{weight: 25}", weight=25),
            id="scale-weight",
        ),
        pytest.param(
            {"setCanaryScale": {"replicas": 3}},
            SetCanaryScaleStep(0, CURRENT, "setCanaryScale{replicas: 3}", replicas=3),
            id="scale-replicas",
        ),
        pytest.param(
            {"setCanaryScale": {"matchTrafficWeight": True, "replicas": 3}},
            SetCanaryScaleStep(
                0,
                CURRENT,
                "setCanaryScale{matchTrafficWeight: true}",
                replicas=3,
                match_traffic_weight=True,
            ),
            id="scale-match-beats-replicas",
        ),
        pytest.param(
            {"analysis": {"templates": [{"templateName": "errors"}, {"templateName": "latency"}]}},
            AnalysisStep(0, CURRENT, "analysis", templates=("errors", "latency")),
            id="analysis",
        ),
        pytest.param(
            {"analysis": {"templates": None}},
            AnalysisStep(0, CURRENT, "analysis"),
            id="analysis-bare",
        ),
        pytest.param(
            {"experiment": {"duration": "1h", "templates": [{"name": "candidate"}]}},
            ExperimentStep(0, CURRENT, "experiment", templates=("candidate",)),
            id="experiment",
        ),
        pytest.param(
            {"experiment": {}}, ExperimentStep(0, CURRENT, "experiment"), id="experiment-bare"
        ),
        pytest.param(
            {"setHeaderRoute": {"name": "testers", "match": MATCH}},
            SetHeaderRouteStep(0, CURRENT, "setHeaderRoute: testers", route="testers", match=MATCH),
            id="header-route",
        ),
        pytest.param(
            {"setHeaderRoute": {"name": "testers"}},
            SetHeaderRouteStep(0, CURRENT, "setHeaderRoute: testers", route="testers"),
            id="header-route-removed",
        ),
        pytest.param(
            {"setMirrorRoute": {"name": "shadow", "percentage": 35, "match": MATCH}},
            SetMirrorRouteStep(
                0, CURRENT, "setMirrorRoute: shadow", route="shadow", percentage=35, match=MATCH
            ),
            id="mirror-route",
        ),
        pytest.param(
            {"plugin": {"name": "org/gate", "config": {"key": [1, None, "x"]}}},
            PluginStep(
                0, CURRENT, "plugin: org/gate", plugin="org/gate", config={"key": [1, None, "x"]}
            ),
            id="plugin",
        ),
        pytest.param(
            {"plugin": {"name": "org/gate", "config": "text"}},
            PluginStep(0, CURRENT, "plugin: org/gate", plugin="org/gate", config="text"),
            id="plugin-config-of-any-type",
        ),
        pytest.param(
            {"pause": {}, "setWeight": 5},
            SetWeightStep(0, CURRENT, "setWeight: 5", weight=5),
            id="two-kinds-in-upstreams-order",
        ),
        pytest.param(
            {"setCanaryScale": {}, "setMirrorRoute": {"name": "shadow"}},
            SetMirrorRouteStep(0, CURRENT, "setMirrorRoute: shadow", route="shadow"),
            id="an-empty-scale-gives-way",
        ),
    ],
)
def test_each_kind_of_step_is_read_with_the_plugins_label(raw: Any, expected: AnyStep) -> None:
    assert _read(raw) == expected


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        pytest.param({"setMood": {"to": "good"}}, "setMood", id="a-kind-of-a-later-version"),
        pytest.param({}, "invalid", id="empty"),
        pytest.param({"pause": None}, "invalid", id="null"),
        pytest.param({"a": 1, "b": 2}, "invalid", id="two-unknown-kinds"),
        pytest.param({"setMood": 1, "pause": None}, "setMood", id="unknown-next-to-null"),
        pytest.param({"setCanaryScale": {}}, "setCanaryScale", id="scale-of-nothing"),
        pytest.param({"setWeight": True}, "setWeight", id="weight-bool"),
        pytest.param({"setWeight": "20"}, "setWeight", id="weight-text"),
        pytest.param({"setWeight": 20.5}, "setWeight", id="weight-fraction"),
        pytest.param({"pause": "5m"}, "pause", id="pause-text"),
        pytest.param({"pause": {"duration": True}}, "pause", id="pause-bool"),
        pytest.param({"pause": {"duration": {"seconds": 5}}}, "pause", id="pause-object"),
        pytest.param({"setCanaryScale": {"weight": "25"}}, "setCanaryScale", id="scale-text"),
        pytest.param(
            {"setCanaryScale": {"weight": 25, "replicas": "x"}}, "setCanaryScale", id="scale-part"
        ),
        pytest.param({"analysis": []}, "analysis", id="analysis-list"),
        pytest.param({"analysis": {"templates": "errors"}}, "analysis", id="analysis-text"),
        pytest.param({"experiment": {"templates": [7]}}, "experiment", id="experiment-number"),
        pytest.param({"setHeaderRoute": {"name": 7}}, "setHeaderRoute", id="header-name"),
        pytest.param(
            {"setHeaderRoute": {"name": "x", "match": {}}}, "setHeaderRoute", id="header-match"
        ),
        pytest.param({"setMirrorRoute": {}}, "setMirrorRoute", id="mirror-nameless"),
        pytest.param(
            {"setMirrorRoute": {"name": "x", "percentage": "5%"}},
            "setMirrorRoute",
            id="mirror-part",
        ),
        pytest.param({"plugin": {"config": {}}}, "plugin", id="plugin-nameless"),
    ],
)
def test_what_cannot_be_read_stays_a_step_with_its_raw_form(raw: Any, label: str) -> None:
    assert _read(raw) == UnknownStep(0, CURRENT, label, raw=raw)


@pytest.mark.parametrize(
    ("status", "states"),
    [
        pytest.param({"currentStepIndex": None}, "PENDING PENDING PENDING PENDING", id="not-begun"),
        pytest.param({"currentStepIndex": 0}, "CURRENT PENDING PENDING PENDING", id="first"),
        pytest.param({"currentStepIndex": 2}, "COMPLETED COMPLETED CURRENT PENDING", id="third"),
        pytest.param({"currentStepIndex": 4}, "COMPLETED COMPLETED COMPLETED COMPLETED", id="done"),
        pytest.param({"currentStepIndex": -3}, "CURRENT PENDING PENDING PENDING", id="negative"),
        pytest.param(
            {"currentStepIndex": 2, "abort": True}, "PENDING PENDING PENDING PENDING", id="aborted"
        ),
        pytest.param(
            {"currentStepIndex": 1, "promoteFull": True},
            "COMPLETED SKIPPED SKIPPED SKIPPED",
            id="full-promotion-skips-the-rest",
        ),
        pytest.param(
            {"currentStepIndex": 4, "promoteFull": True, "stableRS": "7f4c5d9b8d"},
            "COMPLETED COMPLETED COMPLETED COMPLETED",
            id="full-promotion-done",
        ),
        pytest.param(
            {"currentStepIndex": 1, "promoteFull": True, "stableRS": "7f4c5d9b8d"},
            "COMPLETED CURRENT PENDING PENDING",
            id="nothing-to-promote",
        ),
    ],
)
def test_every_step_has_a_state(status: Patch, states: str) -> None:
    read = steps(rollout("canary-updating", {"status": status}))
    assert [step.state for step in read] == states.split()
    assert [step.index for step in read] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("status", "index", "current"),
    [
        pytest.param({"currentStepIndex": None}, None, None, id="not-begun"),
        pytest.param({"currentStepIndex": 3}, 3, "pause", id="last"),
        pytest.param({"currentStepIndex": 4}, 4, None, id="done"),
        pytest.param({"currentStepIndex": 9}, 9, None, id="beyond"),
        pytest.param({"currentStepIndex": 1, "abort": True}, 1, None, id="aborted"),
    ],
)
def test_the_current_step_is_the_one_the_controller_is_at(
    status: Patch, index: int, current: str | None
) -> None:
    at = rollout("canary-updating", {"status": status})
    found = current_step(at, steps(at))
    assert step_index(at) == index
    assert (found.label if found else None) == current


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(rollout("blue-green-paused"), id="blue-green"),
        pytest.param(rollout("workload-ref"), id="canary-without-steps"),
        pytest.param(
            rollout("canary-updating", {"spec": {"strategy": {"canary": {"steps": []}}}}),
            id="empty",
        ),
        pytest.param(rollout("canary-updating", {"spec": {"strategy": None}}), id="no-strategy"),
    ],
)
def test_without_steps_there_is_no_index_and_no_current_step(at: Rollout) -> None:
    assert (steps(at), step_index(at), current_step(at, ())) == ((), None, None)


def test_a_pause_knows_since_when_and_until_when_while_it_holds() -> None:
    pause = steps(rollout("canary-paused-for-5m"))[1]
    assert isinstance(pause, PauseStep)
    assert not pause.indefinite
    assert pause.started_at == datetime(2026, 5, 12, 9, 1, tzinfo=UTC)
    assert pause.ends_at == datetime(2026, 5, 12, 9, 6, tzinfo=UTC)


def test_a_pause_without_a_length_has_a_beginning_but_no_end() -> None:
    pause = steps(rollout("canary-paused-at-step-3"))[3]
    assert isinstance(pause, PauseStep)
    assert pause.indefinite
    assert pause.started_at == datetime(2026, 5, 12, 9, 12, tzinfo=UTC)
    assert pause.ends_at is None


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"pauseConditions": None}, id="not-held-yet"),
        pytest.param(
            {"pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]}, id="held-otherwise"
        ),
        pytest.param({"currentStepIndex": 2}, id="over"),
        pytest.param({"currentStepIndex": 0}, id="to-come"),
    ],
)
def test_a_pause_that_does_not_hold_has_no_times(status: Patch) -> None:
    pause = steps(rollout("canary-paused-for-5m", {"status": status}))[1]
    assert isinstance(pause, PauseStep)
    assert (pause.started_at, pause.ends_at) == (None, None)


def test_a_pause_beyond_the_calendar_has_no_end() -> None:
    start = {
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "9999-12-31T23:00:00Z"}]
    }
    pause = steps(rollout("canary-paused-for-5m", {"status": start}))[1]
    assert isinstance(pause, PauseStep)
    assert pause.ends_at == datetime(9999, 12, 31, 23, 5, tzinfo=UTC)
    longest = _read({"pause": {"duration": 2**31 - 1}}, start)
    assert isinstance(longest, PauseStep)
    assert longest.ends_at is None


def test_only_the_current_analysis_or_experiment_has_a_name() -> None:
    running: Patch = {
        "canary": {
            "currentStepAnalysisRunStatus": {"name": "run-1", "status": "Running"},
            "currentExperiment": "experiment-1",
        }
    }
    analysis = _read({"analysis": {}}, running)
    experiment = _read({"experiment": {}}, running)
    assert isinstance(analysis, AnalysisStep)
    assert isinstance(experiment, ExperimentStep)
    assert (analysis.run, experiment.experiment) == ("run-1", "experiment-1")
    over = running | {"currentStepIndex": 1}
    analysis, experiment = _read({"analysis": {}}, over), _read({"experiment": {}}, over)
    assert isinstance(analysis, AnalysisStep)
    assert isinstance(experiment, ExperimentStep)
    assert (analysis.run, experiment.experiment) == ("", "")


def test_a_plugin_step_shows_the_latest_that_the_plugin_said_of_it() -> None:
    said = [
        {"index": 0, "name": "org/gate", "operation": "Run", "phase": "Running", "message": "wait"},
        {"index": 0, "name": "org/gate", "operation": "Terminate", "phase": "Successful",
         "startedAt": "2026-05-12T09:00:00Z"},
        {"index": 1, "name": "org/gate", "operation": "Run", "phase": "Failed"},
    ]  # fmt: skip
    step = _read({"plugin": {"name": "org/gate"}}, {"canary": {"stepPluginStatuses": said}})
    assert isinstance(step, PluginStep)
    assert (step.phase, step.message) == ("Successful", "")
    assert step.started_at == datetime(2026, 5, 12, 9, tzinfo=UTC)
