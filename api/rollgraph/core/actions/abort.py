"""Abort and retry: back to the stable version, and another attempt."""

from rollgraph.core.actions.guards import (
    idle,
    invalid,
    not_applicable,
    nothing_to_do,
    unready,
)
from rollgraph.core.actions.plan import Plan, Refusal
from rollgraph.core.actions.writing import status_patch
from rollgraph.core.objects.rollout import Rollout


def no_abort(rollout: Rollout) -> Refusal | None:
    """Why there is no update to abort."""
    if refusal := unready(rollout) or idle(rollout):
        return refusal
    # With `promoteFull` the controller takes an abort back (argo-rollouts#4461).
    if rollout.status.abort and not rollout.status.promote_full:
        return nothing_to_do("the update is aborted already")
    return None


def no_retry(rollout: Rollout) -> Refusal | None:
    """Why there is nothing to try again."""
    if refusal := unready(rollout) or invalid(rollout):
        return refusal
    if not rollout.status.abort:
        return not_applicable("the update is not aborted, so there is nothing to try again")
    return idle(rollout)


def abort(rollout: Rollout) -> Plan | Refusal:
    """All traffic goes to the stable version; in one patch with what would undo it."""
    if refusal := no_abort(rollout):
        return refusal
    message = "aborts the update: the stable version takes over"
    if rollout.spec.paused:
        message += "; pods stay as they are until it is resumed"
    elif invalid(rollout):
        message += ", once the spec is valid again"
    return Plan((status_patch(rollout, {"abort": True, "promoteFull": False}),), message)


def retry(rollout: Rollout) -> Plan | Refusal:
    """The update begins again with its first step."""
    if refusal := no_retry(rollout):
        return refusal
    message = "tries the update again from the start"
    if rollout.spec.paused:
        message += "; it stays paused until it is resumed"
    return Plan((status_patch(rollout, {"abort": False}),), message)
