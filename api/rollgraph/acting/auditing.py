"""An outcome as the audit keeps it."""

from rollgraph.acting.outcome import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotApplicable,
    NotFound,
    Outcome,
)
from rollgraph.acting.request import ActionRequest
from rollgraph.core.actions.action import TerminateAnalysisRun, TerminateExperiment
from rollgraph.core.audit import AuditEntry, Result, told
from rollgraph.core.decision import ALLOWED
from rollgraph.core.viewer import Viewer


def entry(
    viewer: Viewer, request: ActionRequest, outcome: Outcome, *, seconds: float, request_id: str
) -> AuditEntry:
    """What the audit is told of one action."""
    failure = outcome.failure
    return AuditEntry(
        viewer=viewer,
        verb=outcome.verb,
        result=result(outcome),
        decision=failure.decision if isinstance(failure, Forbidden) else ALLOWED,
        ref=outcome.ref,
        uid=outcome.uid,
        object=_object(request),
        reason=request.reason,
        message=failure.message if failure is not None else outcome.message,
        patches=tuple(told(patch) for patch in outcome.patches),
        version_before=outcome.before,
        version_after=outcome.after,
        seconds=seconds,
        operation=outcome.operation_id,
        acted_as=outcome.acted_as,
        request_id=request_id,
    )


def result(outcome: Outcome) -> Result:
    """The outcome in a word."""
    if outcome.applied and outcome.failure is not None:
        return Result.UNKNOWN if outcome.unknown else Result.FAILED
    match outcome.failure:
        case None if outcome.dry_run:
            return Result.DRY_RUN
        case None:
            return Result.APPLIED if outcome.applied else Result.UNCHANGED
        case Forbidden():
            return Result.REFUSED
        case NotApplicable() | NotFound() | InvalidInput():
            return Result.NOT_APPLICABLE
        case Conflict():
            return Result.CONFLICT
        case _:
            return Result.UNKNOWN if outcome.unknown else Result.FAILED


def _object(request: ActionRequest) -> str:
    match request.action:
        case TerminateAnalysisRun(name):
            return f"AnalysisRun/{name}"
        case TerminateExperiment(name):
            return f"Experiment/{name}"
        case _:
            return ""
