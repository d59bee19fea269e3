"""The pause by hand, `spec.paused`: apart from those that the controller makes."""

from rollgraph.core.actions.guards import nothing_to_do, untouchable
from rollgraph.core.actions.plan import Plan, Refusal
from rollgraph.core.actions.writing import spec_patch
from rollgraph.core.objects.rollout import Rollout


def no_pause(rollout: Rollout) -> Refusal | None:
    """Why it cannot be paused; an idle rollout can: its next update will wait."""
    if refusal := untouchable(rollout):
        return refusal
    return nothing_to_do("it is paused by hand already") if rollout.spec.paused else None


def no_resume(rollout: Rollout) -> Refusal | None:
    """Why there is no pause by hand to end."""
    if refusal := untouchable(rollout):
        return refusal
    if rollout.spec.paused:
        return None
    if rollout.status.pause_conditions:
        return nothing_to_do("it is not paused by hand; to end the controller's pause, promote it")
    return nothing_to_do("it is not paused by hand")


def pause(rollout: Rollout) -> Plan | Refusal:
    """No step ends and no pod is added or taken away."""
    if refusal := no_pause(rollout):
        return refusal
    return Plan((spec_patch(rollout, {"paused": True}),), "pauses it until it is resumed")


def resume(rollout: Rollout) -> Plan | Refusal:
    """It goes on where it was."""
    if refusal := no_resume(rollout):
        return refusal
    message = "resumes it"
    if rollout.status.pause_conditions:
        message += "; the controller's own pause goes on"
    return Plan((spec_patch(rollout, {"paused": False}),), message)
