"""How a canary goes through its steps, and what its analyses find."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

import samples
from rollgraph.core.belongings import Belongings
from rollgraph.core.steps import PauseStep
from rollgraph.core.view import RolloutView, build_view
from rollgraph.schema.ids import global_id
from unit.schema.streams.streaming import Live, at, moment

STEPS = """
subscription Steps($id: ID!, $after: String) {
  stepProgress(rollout: {id: $id}, resumeAfter: $after) {
    kind cursor fromIndex toIndex reason
    rollout { phase }
    step { step { index label state } current endsAt waiting { reason human } }
    steps {
      step { index label state startedAt ... on PauseStep { duration } }
      current endsAt waiting { reason }
      analysisRuns { name phase }
    }
    progress { percent stepsCompleted stepsTotal waiting { message until exact } }
    split { desiredWeight actualWeight slices { roles pods readyPods } }
    analysisRuns { name phase metrics { name phase } }
  }
}
"""
RUNS = """
subscription Runs($id: ID!, $after: String) {
  analysisRunChanged(rollout: {id: $id}, resumeAfter: $after) {
    kind cursor
    ... on AnalysisRunChangedEvent {
      analysisRun { name phase } newMeasurements { value } rollout { name }
    }
    ... on RolloutDeletedEvent { name }
  }
}
"""
BEGAN = datetime(2026, 5, 12, 9, 10, tzinfo=UTC)
FAMILY = "canary-at-20-percent"


def canary(patch: samples.Patch | None = None, **run: Any) -> RolloutView:
    """A canary at its second step; its analysis run has these fields of a status."""
    rollout, belongings = samples.family(FAMILY, patch)
    runs = [
        structs.replace(each, status=structs.replace(each.status, **run))
        for each in belongings.analysis_runs
    ]
    return build_view("east", rollout, structs.replace(belongings, analysis_runs=runs))


def id_of(view: RolloutView) -> str:
    return str(global_id("Rollout", view.ref.cluster, view.ref.namespace, view.ref.name))


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put(canary())
    return made


async def test_all_of_the_steps_is_told_first(live: Live) -> None:
    view = canary()
    async with live.reader(STEPS, id=id_of(view)) as reader:
        event = await reader.event()
    assert (event["kind"], event["fromIndex"]) == ("SNAPSHOT", None)
    assert event["toIndex"] == view.step_index
    assert [step["step"]["label"] for step in event["steps"]] == [step.label for step in view.steps]
    current = [step for step in event["steps"] if step["current"]]
    assert view.current_step is not None
    assert [step["step"]["index"] for step in current] == [view.current_step.index]
    assert event["step"]["step"]["label"] == view.current_step.label
    assert view.progress.waiting is not None
    assert event["step"]["waiting"]["reason"] == view.progress.waiting.reason
    assert view.weights is not None
    assert event["split"]["desiredWeight"] == float(view.weights.desired)
    assert event["split"]["slices"]
    assert [run["name"] for run in event["analysisRuns"]]


@pytest.mark.parametrize(("index", "began"), [(0, False), (1, True), (2, True)])
async def test_a_step_with_an_analysis_began_when_that_did(index: int, began: bool) -> None:
    at_step: samples.Patch = {"status": {"currentStepIndex": index}}
    if index == 2:
        at_step["status"]["canary"] = {"currentStepAnalysisRunStatus": None}
    view = canary(at_step, started_at=BEGAN)
    live = Live()
    live.put(view)
    async with live.reader(STEPS, id=id_of(view)) as reader:
        weighing, analysing, *_ = (await reader.event())["steps"]
    assert weighing["step"]["startedAt"] is None
    found = analysing["step"]["startedAt"]
    assert (moment(found) == BEGAN) if began else found is None


async def test_what_happens_at_once_is_one_event(live: Live) -> None:
    view = canary()
    assert view.step_index is not None
    async with live.reader(STEPS, id=id_of(view)) as reader:
        await reader.event()
        further = {"status": {"currentStepIndex": view.step_index + 1, "phase": "Paused"}}
        live.put(canary(further))
        live.put(canary(further | {"metadata": {"labels": {"team": "shop"}}}))
        step, manifest = await reader.events(2)
    assert (step["kind"], step["fromIndex"], step["toIndex"]) == (
        "STEP_CHANGED",
        view.step_index,
        view.step_index + 1,
    )
    assert (manifest["kind"], manifest["fromIndex"]) == ("UPDATED", None)


async def test_steps_end_with_the_rollout(live: Live) -> None:
    view = canary()
    async with live.reader(STEPS, id=id_of(view)) as reader:
        await reader.event()
        live.drop(view.ref)
        event = await reader.event()
    assert (event["kind"], event["rollout"], event["steps"], event["step"]) == (
        "DELETED",
        None,
        [],
        None,
    )


async def test_steps_can_be_continued(live: Live) -> None:
    view = canary()
    async with live.reader(STEPS, id=id_of(view)) as reader:
        after = (await reader.event())["cursor"]
    live.put(canary(message="measured once"))
    async with live.reader(STEPS, id=id_of(view), after=after) as reader:
        assert at([await reader.event()], "kind") == ["ANALYSIS_RUN_CHANGED"]


async def test_a_timed_pause_says_when_it_ends() -> None:
    live = Live()
    view = build_view("east", samples.rollout("canary-paused-for-5m"), Belongings())
    live.put(view)
    async with live.reader(STEPS, id=id_of(view)) as reader:
        event = await reader.event()
    step = view.current_step
    assert isinstance(step, PauseStep)
    assert step.started_at is not None
    assert moment(event["step"]["endsAt"]) == step.started_at + timedelta(minutes=5)
    assert event["step"]["waiting"] == {"reason": "PAUSE", "human": False}
    ends = [item["step"]["index"] for item in event["steps"] if item["endsAt"]]
    assert ends == [step.index]


async def test_each_run_is_told_first_then_what_changes_of_one(live: Live) -> None:
    view = canary()
    names = [run.run.metadata.name for run in view.all_analysis_runs]
    assert len(names) > 1
    async with live.reader(RUNS, id=id_of(view)) as reader:
        first = await reader.events(len(names))
        assert [event["analysisRun"]["name"] for event in first] == names
        assert at(first, "kind") == ["SNAPSHOT"] * len(names)
        live.put(canary({"metadata": {"labels": {"team": "shop"}}}))
        live.put(canary({"metadata": {"labels": {"team": "shop"}}}, message="measured"))
        changed = await reader.event()
        assert (changed["kind"], changed["analysisRun"]["name"]) == (
            "ANALYSIS_RUN_CHANGED",
            names[0],
        )
    live.drop(view.ref)
    async with live.reader(RUNS, id=id_of(view), after=changed["cursor"]) as reader:
        rest = [await reader.event()]
        while rest[-1]["kind"] != "DELETED":
            rest.append(await reader.event())
    told = [event["analysisRun"]["name"] for event in rest if "analysisRun" in event]
    assert told == names[1:]
