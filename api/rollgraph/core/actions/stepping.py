"""Steps left before they are done: skipped, or left for another one."""

from typing import Any

from rollgraph.core.actions.action import JumpToStep
from rollgraph.core.actions.guards import (
    aborted,
    idle,
    invalid,
    not_applicable,
    nothing_to_do,
    unready,
)
from rollgraph.core.actions.plan import Manifest, Plan, Reason, Refusal
from rollgraph.core.actions.writing import status_patch
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.steps import AnyStep, steps


def no_skip(rollout: Rollout) -> Refusal | None:
    """Why no step can be skipped."""
    if refusal := no_jump(rollout):
        return refusal
    if current(rollout) is None:
        return not_applicable("all steps are done: the last pods are being replaced")
    return None


def no_jump(rollout: Rollout) -> Refusal | None:
    """Why no other step can be made the current one."""
    if refusal := unready(rollout) or invalid(rollout):
        return refusal
    if rollout.spec.strategy.canary is None:
        return not_applicable("only a canary has steps")
    if not steps(rollout):
        return not_applicable("the canary has no steps")
    if refusal := idle(rollout) or aborted(rollout):
        return refusal
    if rollout.status.promote_full:
        return not_applicable("a full promotion is under way, which skips all steps: abort it")
    return None


def skip(rollout: Rollout, raw: Manifest) -> Plan | Refusal:
    """The step after the current one becomes current."""
    if refusal := no_skip(rollout):
        return refusal
    index = index_of(rollout)
    message = f"skips {step_name(rollout, index)}{_held(rollout)}"
    return Plan((status_patch(rollout, at_step(raw, index + 1)),), message)


def jump(action: JumpToStep, rollout: Rollout, raw: Manifest) -> Plan | Refusal:
    """Any step becomes current: a later one, or an earlier one once more."""
    if refusal := no_jump(rollout):
        return refusal
    index, count = action.index, len(steps(rollout))
    if not 0 <= index <= count:
        return Refusal(
            Reason.INVALID,
            f"there is no step with index {index}: the {count} steps count from 0, and {count}"
            " means that all are done",
        )
    if index == index_of(rollout):
        return nothing_to_do(f"the rollout is at {step_name(rollout, index)} already")
    message = f"goes to {step_name(rollout, index)}{_held(rollout)}"
    return Plan((status_patch(rollout, at_step(raw, index)),), message)


def at_step(raw: Manifest, index: int) -> dict[str, Any]:
    """The status with which the controller begins with that step.

    Three things beside the index must go with the step that is left, which others leave. A pause
    and `controllerPause`: together they would mean to the next pause that it has been ended, and it
    would be skipped, too. The names of the running analysis and experiment: of an experiment the
    controller would take the old one for the next step's, if that is one as well (an analysis run
    it knows by its label, as of 1.10). And what step plugins said of the steps that are to run
    again: they would count as done.
    """
    canary = (raw.get("status") or {}).get("canary") or {}
    left: dict[str, Any] = {
        name: None
        for name in ("currentStepAnalysisRunStatus", "currentExperiment")
        if canary.get(name)
    }
    said = canary.get("stepPluginStatuses") or ()
    kept = [item for item in said if item.get("index", -1) < index]
    if len(kept) < len(said):
        left["stepPluginStatuses"] = kept or None
    status: dict[str, Any] = {
        "pauseConditions": None,
        "controllerPause": False,
        "currentStepIndex": index,
    }
    return {**status, "canary": left} if left else status


def index_of(rollout: Rollout) -> int:
    """The current step's index as the controller has it: 0 until it has written one."""
    return max(rollout.status.current_step_index or 0, 0)


def current(rollout: Rollout) -> AnyStep | None:
    """The step that would be left; None when all are done, and without steps."""
    every, index = steps(rollout), index_of(rollout)
    return every[index] if index < len(every) else None


def step_name(rollout: Rollout, index: int) -> str:
    """A step in words, counted as the controller's events do: `step 2 of 6 (pause: 5m)`."""
    every = steps(rollout)
    if index >= len(every):
        return f"the end of all {len(every)} steps"
    return f"step {index + 1} of {len(every)} ({every[index].label})"


def _held(rollout: Rollout) -> str:
    return "; it stays paused until it is resumed" if rollout.spec.paused else ""
