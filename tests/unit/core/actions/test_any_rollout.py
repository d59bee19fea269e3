"""Plans for whatever a rollout may look like: what they write, and where it leads."""

import copy
from typing import Any

import hypothesis.strategies as st
from hypothesis import assume, given

from planned import NOW, Document, applied, live
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    Resume,
    Retry,
    SkipStep,
)
from rollgraph.core.actions.plan import Plan, Refusal
from rollgraph.core.actions.planning import plan
from samples import manifest, merged

# All that an action may write, and nothing else of a status is anybody's but the controller's.
WRITTEN = {
    "pauseConditions",
    "controllerPause",
    "currentStepIndex",
    "promoteFull",
    "abort",
    "canary.currentStepAnalysisRunStatus",
    "canary.currentExperiment",
    "canary.stepPluginStatuses",
}
STEPS: list[Document] = [
    {"setWeight": 20},
    {"pause": {}},
    {"pause": {"duration": "5m"}},
    {"analysis": {"templates": [{"templateName": "errors"}]}},
    {"analysis": {"templates": [{"templateName": "latency"}]}},
    {"experiment": {"templates": [{"name": "candidate", "specRef": "canary"}]}},
    {"plugin": {"name": "org/gate"}},
]
REASONS = [
    "CanaryPauseStep",
    "BlueGreenPause",
    "InconclusiveAnalysisRun",
    "InconclusiveExperiment",
    "OfALaterVersion",
]
PHASES = ["Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"]
flags = st.sampled_from([None, False, True])
pauses = st.lists(st.sampled_from(REASONS), max_size=2, unique=True)


@st.composite
def rollouts(draw: st.DrawFn) -> Document:
    """A rollout at some moment; not all of them can happen."""
    strategy: Document = {"blueGreen": {"activeService": "ledger"}}
    if draw(st.booleans()):
        strategy = {"canary": {"steps": draw(st.lists(st.sampled_from(STEPS), max_size=4)) or None}}
    reasons = draw(pauses)
    run = {"name": "run", "status": draw(st.sampled_from(PHASES))}
    plugins = draw(st.lists(st.integers(0, 4), max_size=3))
    canary = {
        "currentStepAnalysisRunStatus": draw(st.sampled_from([None, run])),
        "currentBackgroundAnalysisRunStatus": draw(st.sampled_from([None, run])),
        "currentExperiment": draw(st.sampled_from([None, "experiment"])),
        "stepPluginStatuses": [{"index": at, "phase": "Successful"} for at in plugins] or None,
    }
    status = {
        "pauseConditions": [
            {"reason": reason, "startTime": "2026-05-12T09:12:00Z"} for reason in reasons
        ]
        or None,
        "controllerPause": draw(flags),
        "abort": draw(flags),
        "promoteFull": draw(flags),
        "currentStepIndex": draw(st.sampled_from([None, 0, 1, 2, 3, 4, 5])),
        "stableRS": draw(st.sampled_from([None, "5c9b7d6f44", "66d5f7b9c8"])),
        "observedGeneration": draw(st.sampled_from(["11", "12"])),
        "canary": canary,
    }
    document = manifest("rollouts/blue-green-paused", {"spec": {"strategy": None}, "status": None})
    patch = {"spec": {"strategy": strategy, "paused": draw(flags)}}
    return merged(
        document, {**patch, "status": {"currentPodHash": "66d5f7b9c8", "phase": "Paused", **status}}
    )


@st.composite
def canaries(draw: st.DrawFn) -> Document:
    """One of them in mid-update, where steps can be left."""
    every = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4))
    strategy = {"blueGreen": None, "canary": {"steps": every}}
    status = {
        "stableRS": "5c9b7d6f44",
        "observedGeneration": "12",
        "abort": None,
        "promoteFull": None,
    }
    return merged(draw(rollouts()), {"spec": {"strategy": strategy}, "status": status})


actions: st.SearchStrategy[Action] = st.sampled_from(
    [
        Promote(),
        PromoteFull(),
        SkipStep(),
        Abort(),
        Retry(),
        Pause(),
        Resume(),
        Restart(NOW),
        *(JumpToStep(index) for index in range(-1, 6)),
    ]
)


def asked(action: Action, rollout: Document) -> Plan | Refusal:
    return plan(action, live(action, [rollout]), NOW)


def after(answer: Plan, rollout: Document) -> Document:
    (changed,) = applied(answer, [rollout])
    return changed


def fields(status: dict[str, Any]) -> set[str]:
    canary = status.get("canary") or {}
    return {*(status.keys() - {"canary"}), *(f"canary.{name}" for name in canary)}


@given(actions, rollouts())
def test_only_what_is_an_actions_to_write_is_written(action: Action, rollout: Document) -> None:
    before = copy.deepcopy(rollout)

    answer = asked(action, rollout)

    assert rollout == before
    for patch in answer.patches if isinstance(answer, Plan) else ():
        if patch.subresource:
            assert fields(patch.body["status"]) <= WRITTEN
        else:
            assert set(patch.body["spec"]) <= {"paused", "restartAt"}


@given(actions, rollouts())
def test_a_plan_that_does_nothing_says_so_and_one_that_does_changes_something(
    action: Action, rollout: Document
) -> None:
    answer = asked(action, rollout)
    assume(isinstance(answer, Plan))
    assert isinstance(answer, Plan)

    assert answer.message
    assert (after(answer, rollout) == rollout) is (not answer.patches)


@given(
    st.sampled_from([Abort(), Pause(), Resume(), Restart(NOW), Retry(), PromoteFull()]), rollouts()
)
def test_what_is_done_need_not_be_done_again(action: Action, rollout: Document) -> None:
    first = asked(action, rollout)
    assume(isinstance(first, Plan) and first.patches)
    assert isinstance(first, Plan)

    again = asked(action, _observed(after(first, rollout)))

    assert isinstance(again, Refusal) or not again.patches


@given(rollouts() | canaries())
def test_a_promotion_goes_on_by_one_pause_or_one_step(rollout: Document) -> None:
    answer = asked(Promote(), rollout)
    assume(isinstance(answer, Plan) and answer.patches)
    assert isinstance(answer, Plan)

    changed = after(answer, rollout)

    before, status = rollout["status"], changed["status"]
    assert not changed["spec"].get("paused")
    ended = bool(before.get("pauseConditions")) and not status.get("pauseConditions")
    step = status.get("currentStepIndex") != before.get("currentStepIndex")
    if step:
        assert status["currentStepIndex"] == (before.get("currentStepIndex") or 0) + 1
        _begins_afresh(status)
    assert ended or step or rollout["spec"].get("paused")
    # Nobody's second click is taken for another step before the controller has seen the first.
    if ended and not step and before.get("controllerPause"):
        again = asked(Promote(), _observed(changed))
        assert isinstance(again, Refusal) or not again.patches


@given(st.integers(0, 4), canaries())
def test_a_step_that_is_jumped_to_begins_afresh(index: int, rollout: Document) -> None:
    answer = asked(JumpToStep(index), rollout)
    assume(isinstance(answer, Plan) and answer.patches)
    assert isinstance(answer, Plan)

    status = after(answer, rollout)["status"]

    assert status["currentStepIndex"] == index
    _begins_afresh(status)
    again = asked(JumpToStep(index), after(answer, rollout))
    assert isinstance(again, Plan)
    assert again.patches == ()


@given(canaries(), flags, flags)
def test_an_abort_leaves_nothing_that_takes_it_back(
    rollout: Document, abort: bool | None, full: bool | None
) -> None:
    rollout = merged(rollout, {"status": {"abort": abort, "promoteFull": full}})

    answer = asked(Abort(), rollout)

    assert isinstance(answer, Plan)
    assert len(answer.patches) == (0 if abort and not full else 1)
    status = after(answer, rollout)["status"]
    assert status["abort"] is True
    assert not status.get("promoteFull")


def _begins_afresh(status: dict[str, Any]) -> None:
    """Nothing is left by which the controller would take the new step for begun, or for done."""
    assert not status.get("pauseConditions")
    assert not status.get("controllerPause")
    canary = status.get("canary") or {}
    assert not canary.get("currentStepAnalysisRunStatus")
    assert not canary.get("currentExperiment")
    said = canary.get("stepPluginStatuses") or ()
    assert all(item["index"] < status["currentStepIndex"] for item in said)


def _observed(rollout: Document) -> Document:
    """As the controller leaves it that has seen the newest spec and done nothing else yet."""
    generation = str(rollout["metadata"]["generation"])
    return merged(rollout, {"status": {"observedGeneration": generation}})
