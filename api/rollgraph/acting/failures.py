"""What went wrong, told to whoever asked: errors and refusals become failures."""

from datetime import datetime

import msgspec

from rollgraph.acting.outcome import (
    ClusterUnavailable,
    Conflict,
    Failure,
    Forbidden,
    InvalidInput,
    KubernetesRejected,
    NotApplicable,
    NotFound,
    TimedOut,
)
from rollgraph.core.actions.plan import Expectations, Reason, Refusal
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.errors import (
    ConfigError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotInstalledError,
    RollgraphError,
    SpokeError,
    TooManyRequestsError,
    UnansweredError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.identity import Identity, PassedThrough
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.steps import step_index


def failure_of(
    error: RollgraphError, cluster: str, last_seen: datetime | None, as_: Identity | None
) -> Failure:
    """The failure that an error of a spoke stands for."""
    text = str(error)
    match error:
        case UnansweredError():
            return TimedOut(
                f"{text}; it may have been done, and may be yet: look at the rollout before you"
                " repeat it",
                unknown=True,
            )
        case NotFoundError():
            return NotFound(text)
        case ForbiddenError():
            return _forbidden(text)
        case UnauthenticatedError() if isinstance(as_, PassedThrough):
            return _forbidden(f"cluster {cluster!r} does not take your token: {text}")
        case ConflictError():
            return Conflict(f"somebody else was faster: {text}", retryable=True)
        case UnreachableError():
            return ClusterUnavailable(_where(cluster, text), cluster, last_seen)
        case UnauthenticatedError() | NotInstalledError() | ConfigError():
            return ClusterUnavailable(_where(cluster, text), cluster, last_seen, retryable=False)
        case SpokeError(code=code, reason=reason):
            again = code >= 500 or isinstance(error, TooManyRequestsError)
            return KubernetesRejected(text, code, reason, again)
        case _:
            return ClusterUnavailable(_where(cluster, text), cluster, last_seen)


def failure_by(refusal: Refusal, rollout: Rollout, expected: Expectations) -> Failure:
    """The failure that a refusal of the plan stands for."""
    match refusal.reason:
        case Reason.NOT_FOUND:
            return NotFound(refusal.message)
        case Reason.INVALID:
            return InvalidInput(refusal.message)
        case Reason.STALE:
            return Conflict(
                refusal.message,
                expected=expected.resource_version,
                actual=rollout.metadata.resource_version,
                step_index=step_index(rollout),
                pod_template_hash=rollout.status.current_pod_hash,
            )
        case Reason.NOT_OBSERVED:
            return NotApplicable(refusal.message, retryable=True)
        case Reason.NOT_APPLICABLE | Reason.NOTHING_TO_DO:
            return NotApplicable(refusal.message)


def in_part(failure: Failure, done: str) -> Failure:
    """The same failure, told of an action that was begun."""
    told = f"done in part only ({done}); what was to follow: {failure.message}"
    return msgspec.structs.replace(failure, message=told)


def _forbidden(message: str) -> Forbidden:
    return Forbidden(message, Decision(Layer.KUBERNETES_RBAC, message=message))


def _where(cluster: str, text: str) -> str:
    return f"cluster {cluster!r}: {text}"
