"""Promotion: onwards by one, or all the way at once."""

from rollgraph.core.actions.guards import (
    aborted,
    invalid,
    not_observed,
    nothing_to_do,
    unready,
)
from rollgraph.core.actions.plan import Manifest, Patch, Plan, Refusal, Uptake
from rollgraph.core.actions.stepping import at_step, current, index_of, step_name
from rollgraph.core.actions.writing import spec_patch, stamp, status_patch
from rollgraph.core.durations import seconds_after
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.meta import EPOCH
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.pauses import PauseReason, pause_condition
from rollgraph.core.refs import Kind
from rollgraph.core.steps import PauseStep, steps

_INCONCLUSIVE = "Inconclusive"
_UNDER_WAY = "a full promotion is under way already"
_UNPAUSED = {"paused": False}


def no_promotion(rollout: Rollout) -> Refusal | None:
    """Why there is nothing to promote, or why it cannot be done now."""
    if refusal := unready(rollout) or invalid(rollout) or aborted(rollout):
        return refusal
    status = rollout.status
    if status.controller_pause and not status.pause_conditions and not rollout.fully_promoted:
        # A second promotion now would be taken for leaving the step: two steps for one pause.
        return not_observed("that its pause was ended")
    if rollout.spec.paused:
        return None
    if status.promote_full and not rollout.fully_promoted:
        return nothing_to_do(_UNDER_WAY)
    return None if status.pause_conditions else _nothing_to_leave(rollout)


def no_full_promotion(rollout: Rollout) -> Refusal | None:
    """Why it cannot be promoted in full, or is already."""
    if refusal := unready(rollout) or invalid(rollout):
        return refusal
    if rollout.spec.paused:
        return None
    if rollout.fully_promoted:
        return nothing_to_do("it is promoted in full already")
    if rollout.status.promote_full:
        return nothing_to_do(_UNDER_WAY)
    return None


def promote(rollout: Rollout, raw: Manifest) -> Plan | Refusal:
    """Ends what holds it: a pause by hand, a pause of the controller, or a running step."""
    if refusal := no_promotion(rollout):
        return refusal
    held = [spec_patch(rollout, _UNPAUSED)] if rollout.spec.paused else []
    said = ["resumes it"] if rollout.spec.paused else []
    step = _status(rollout, raw)
    if step is None:
        return Plan(tuple(held), said[0])
    patch, message = step
    # With a pause the spec goes first: while `spec.paused` holds it, the controller forgets that a
    # pause has been ended, and would begin the same pause again. A running step is left first, lest
    # it ends by itself in between and the next one is left.
    pausing = bool(rollout.status.pause_conditions)
    patches = [*held, patch] if pausing else [patch, *held]
    return Plan(tuple(patches), " and ".join([*said, message]))


def promote_full(rollout: Rollout) -> Plan | Refusal:
    """Everything that is left is skipped."""
    if refusal := no_full_promotion(rollout):
        return refusal
    patches: list[Patch] = []
    said: list[str] = []
    if rollout.spec.paused:
        # First, for what the controller does about a full promotion would come between the two.
        patches.append(spec_patch(rollout, _UNPAUSED))
        said.append("resumes it")
    wanted = not rollout.fully_promoted
    if wanted and not rollout.status.promote_full:
        patches.append(status_patch(rollout, {"promoteFull": True}))
    if wanted:
        though = ", although it was aborted" if rollout.status.abort else ""
        said.append(f"promotes it in full{though}")
    promotes = rollout.status.current_pod_hash if wanted else ""
    return Plan(tuple(patches), " and ".join(said), promotes)


def uptake(promotes: str, raw: Manifest) -> Uptake:
    """What has become of a full promotion of the template with that hash."""
    rollout = read_object(Kind.ROLLOUT, raw)
    assert isinstance(rollout, Rollout)
    status = rollout.status
    if status.current_pod_hash == status.stable_rs == promotes:
        return Uptake.TAKEN
    if status.current_pod_hash != promotes or not status.promote_full:
        return Uptake.DROPPED
    # What the controller does first is to end the pauses and to go behind the last step.
    through = not steps(rollout) or index_of(rollout) >= len(steps(rollout))
    return Uptake.TAKEN if through and not status.pause_conditions else Uptake.PENDING


def _nothing_to_leave(rollout: Rollout) -> Refusal | None:
    if rollout.fully_promoted:
        return nothing_to_do("there is nothing to promote: the newest revision is the stable one")
    if rollout.status.promote_full:
        return nothing_to_do(_UNDER_WAY)
    if rollout.spec.strategy.blue_green is not None:
        return nothing_to_do("nothing holds it: it is promoted once its new pods are ready")
    if not steps(rollout):
        return nothing_to_do("nothing holds it: it has no steps, and its pods are being replaced")
    if current(rollout) is None:
        return nothing_to_do("all steps are done: the last pods are being replaced")
    return None


def _status(rollout: Rollout, raw: Manifest) -> tuple[Patch, str] | None:
    """The change of the status, and what it does; None if there is none to make."""
    pauses = rollout.status.pause_conditions
    if pauses and _timed_preview(rollout):
        return status_patch(rollout, {"pauseConditions": _over(rollout)}), _ended(rollout)
    if pauses and not _inconclusive_step(rollout):
        return status_patch(rollout, {"pauseConditions": None}), _ended(rollout)
    if not pauses and _nothing_to_leave(rollout):
        return None
    index = index_of(rollout)
    patch = status_patch(rollout, at_step(raw, index + 1))
    if pauses:
        return patch, f"takes {step_name(rollout, index)} for good, although it was inconclusive"
    return patch, f"leaves {step_name(rollout, index)} before it is done"


def _inconclusive_step(rollout: Rollout) -> bool:
    """True if the current step ended without a verdict, so that a person has to give one.

    Such a step has to be left. If only its pause were ended, the controller would find the same
    verdict again, and pause again. The plugin knows this of analyses, but not of experiments.
    """
    if current(rollout) is None or rollout.fully_promoted:
        return False
    run = rollout.status.canary.current_step_analysis_run_status
    if run is not None and run.status == _INCONCLUSIVE:
        return rollout.status.controller_pause
    return pause_condition(rollout, PauseReason.INCONCLUSIVE_EXPERIMENT) is not None


def _timed_preview(rollout: Rollout) -> bool:
    """True if a preview waits for its time.

    The controller does not take the end of such a pause for a promotion: it begins the pause again
    (CompletedBlueGreenPause in rollout/pause.go). So the plugin's promotion makes it wait longer.
    """
    strategy = rollout.spec.strategy.blue_green
    if strategy is None or strategy.auto_promotion_enabled is False:
        return False
    reasons = [pause.reason for pause in rollout.status.pause_conditions or ()]
    return strategy.auto_promotion_seconds > 0 and reasons == [PauseReason.BLUE_GREEN_PAUSE]


def _over(rollout: Rollout) -> list[dict[str, str]]:
    """The pause of a preview, begun so much earlier that its time is over by the spoke's clock."""
    strategy = rollout.spec.strategy.blue_green
    pause = pause_condition(rollout, PauseReason.BLUE_GREEN_PAUSE)
    assert strategy is not None
    assert pause is not None
    start = seconds_after(pause.start_time, -strategy.auto_promotion_seconds - 1)
    return [{"reason": pause.reason, "startTime": stamp(start or EPOCH)}]


def _ended(rollout: Rollout) -> str:
    step = current(rollout)
    if isinstance(step, PauseStep) and pause_condition(rollout, PauseReason.CANARY_PAUSE_STEP):
        return f"ends the pause of {step_name(rollout, step.index)}"
    if pause_condition(rollout, PauseReason.BLUE_GREEN_PAUSE):
        return "ends the pause before the promotion"
    if pause_condition(rollout, PauseReason.INCONCLUSIVE_ANALYSIS_RUN):
        return "ends the pause after an inconclusive analysis, which runs once more"
    return "ends its pause"
