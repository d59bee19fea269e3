"""What the audit is told of an action: from what was asked and what came of it."""

from typing import assert_never

from rollgraph.acting.outcome import (
    ClusterUnavailable,
    Conflict,
    Failure,
    Forbidden,
    InvalidInput,
    KubernetesRejected,
    NotApplicable,
    NotFound,
    Outcome,
    TimedOut,
)
from rollgraph.core.actions.action import Action, TerminateAnalysisRun, TerminateExperiment
from rollgraph.core.audit import AuditEntry, Result, told
from rollgraph.core.decision import ALLOWED, Decision
from rollgraph.core.viewer import Viewer


def entry(
    viewer: Viewer,
    action: Action,
    outcome: Outcome,
    *,
    reason: str = "",
    seconds: float = 0.0,
    request_id: str = "",
) -> AuditEntry:
    """The entry of one action on one rollout.

    Args:
        reason: Why, in the viewer's words.
        seconds: How long it took.
    """
    failure = outcome.failure
    return AuditEntry(
        viewer=viewer,
        verb=outcome.verb,
        result=result(outcome),
        decision=_decision(failure),
        ref=outcome.ref,
        uid=outcome.uid,
        object=_object(action),
        reason=reason,
        message="; ".join(filter(None, (outcome.message, failure.message if failure else ""))),
        patches=tuple(told(patch) for patch in outcome.patches),
        version_before=outcome.before,
        version_after=outcome.after,
        seconds=seconds,
        operation=outcome.operation_id,
        acted_as=outcome.acted_as,
        request_id=request_id,
    )


def result(outcome: Outcome) -> Result:
    """What came of it, in the audit's words."""
    failure = outcome.failure
    if failure is not None:
        return _failed(failure, begun=outcome.applied)
    if outcome.dry_run:
        return Result.DRY_RUN
    return Result.APPLIED if outcome.applied else Result.UNCHANGED


def _failed(failure: Failure, *, begun: bool) -> Result:
    """The result of a failure; once something was changed, it is FAILED or UNKNOWN."""
    match failure:
        case TimedOut(unknown=True):
            return Result.UNKNOWN
        case _ if begun:
            return Result.FAILED
        case Forbidden():
            return Result.REFUSED
        case NotFound() | NotApplicable() | InvalidInput():
            return Result.NOT_APPLICABLE
        case Conflict():
            return Result.CONFLICT
        case ClusterUnavailable() | KubernetesRejected() | TimedOut():
            return Result.FAILED
        case _:
            assert_never(failure)


def _decision(failure: Failure | None) -> Decision:
    return failure.decision if isinstance(failure, Forbidden) else ALLOWED


def _object(action: Action) -> str:
    """What of the rollout it is about; "" for the rollout itself."""
    match action:
        case TerminateAnalysisRun(name):
            return f"AnalysisRun/{name}"
        case TerminateExperiment(name):
            return f"Experiment/{name}"
        case _:
            return ""
