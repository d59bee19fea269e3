"""From what came of an action to what its caller gets: the one place where failures are translated.

| failure | user error |
|---|---|
| `NotFound` | `NotFoundError` |
| `Forbidden` | `ForbiddenError`, with the layer that refused |
| `NotApplicable` | `NotApplicableError`, with what the viewer may do instead |
| `Conflict` | `ConflictError`, with where the rollout is now |
| `ClusterUnavailable` | `ClusterUnavailableError` |
| `InvalidInput` | `InvalidInputError` |
| `KubernetesRejected` | `KubernetesRejectedError` |
| `TimedOut` | `TimeoutError` |
"""

from typing import assert_never

import strawberry

from rollgraph.acting import outcome as acting
from rollgraph.acting.outcome import BulkOutcome, Failure, Outcome
from rollgraph.core.decision import Layer
from rollgraph.core.errors import BadRequestError
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Info
from rollgraph.schema.types.action_inputs import ActionInput
from rollgraph.schema.types.action_targets import BadInputError
from rollgraph.schema.types.bulk_inputs import BulkRolloutActionInput
from rollgraph.schema.types.bulk_payload import BulkRolloutActionPayload
from rollgraph.schema.types.payloads import ActionPatch, RolloutActionPayload
from rollgraph.schema.types.user_errors import (
    ClusterUnavailableError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    KubernetesRejectedError,
    NotApplicableError,
    NotFoundError,
    TimeoutError,
    UserError,
)


def payload(
    info: Info, outcome: Outcome, client_mutation_id: str | None = None
) -> RolloutActionPayload:
    """What the caller of an action on one rollout gets."""
    patches = enumerate(outcome.patches)
    return RolloutActionPayload(
        ref=outcome.ref,
        client_mutation_id=client_mutation_id,
        operation_id=strawberry.ID(outcome.operation_id),
        applied=outcome.applied,
        dry_run=outcome.dry_run,
        message=outcome.message or None,
        patches=[ActionPatch(patch=patch, sent=n < outcome.sent) for n, patch in patches],
        resource_version_before=outcome.before or None,
        resource_version_after=outcome.after or None,
        stale=outcome.stale,
        user_errors=_user_errors(info, outcome),
    )


def bulk_payload(
    info: Info, input: BulkRolloutActionInput, outcome: BulkOutcome
) -> BulkRolloutActionPayload:
    """What the caller of an action on many rollouts gets."""
    failure = outcome.failure
    return BulkRolloutActionPayload(
        client_mutation_id=input.client_mutation_id,
        operation_id=strawberry.ID(outcome.operation_id),
        dry_run=input.dry_run,
        results=[payload(info, item) for item in outcome.outcomes],
        succeeded=outcome.succeeded,
        failed=outcome.failed,
        skipped=outcome.skipped,
        token=outcome.token or None,
        token_expires_at=outcome.expires_at,
        user_errors=[user_error(failure, input.action.verb, None)] if failure else [],
    )


def unfit_bulk(input: BulkRolloutActionInput, error: BadRequestError) -> BulkRolloutActionPayload:
    """What the caller gets whose input for many rollouts makes no sense."""
    return BulkRolloutActionPayload(
        client_mutation_id=input.client_mutation_id,
        dry_run=input.dry_run,
        user_errors=[invalid(error)],
    )


def unfit(input: ActionInput, error: BadRequestError) -> RolloutActionPayload:
    """What the caller gets whose input makes no sense."""
    return RolloutActionPayload(
        ref=None,
        client_mutation_id=input.client_mutation_id,
        dry_run=input.dry_run,
        user_errors=[invalid(error)],
    )


def invalid(error: BadRequestError) -> InvalidInputError:
    """The user error of an input that makes no sense."""
    path = error.path if isinstance(error, BadInputError) else ("input",)
    return InvalidInputError(message=str(error), path=list(path))


def user_error(failure: Failure, verb: Verb, view: RolloutView | None) -> UserError:
    """The user error of a failure.

    Args:
        verb: What was tried.
        view: The rollout, if there is one and the viewer sees it.
    """
    match failure:
        case acting.NotFound(message):
            return NotFoundError(message=message)
        case acting.Forbidden(message, decision):
            return ForbiddenError(
                message=message,
                layer=decision.refused_by or Layer.KUBERNETES_RBAC,
                action=verb.value,
                missing_scopes=list(decision.missing_scopes),
            )
        case acting.NotApplicable(message):
            return NotApplicableError(message=message, retryable=failure.retryable, view=view)
        case acting.Conflict(message):
            return ConflictError(
                message=message,
                retryable=failure.retryable,
                expected_resource_version=failure.expected,
                actual_resource_version=failure.actual or None,
                current_step_index=failure.step_index,
                current_pod_template_hash=failure.pod_template_hash or None,
            )
        case acting.ClusterUnavailable(message, cluster):
            return ClusterUnavailableError(
                message=message,
                retryable=failure.retryable,
                cluster_name=cluster,
                last_seen_at=failure.last_seen,
            )
        case acting.InvalidInput(message, path):
            return InvalidInputError(message=message, path=["input", *path])
        case acting.KubernetesRejected(message, status, reason):
            return KubernetesRejectedError(
                message=message,
                retryable=failure.retryable,
                http_status=status,
                kubernetes_reason=reason or None,
            )
        case acting.TimedOut(message):
            return TimeoutError(
                message=message, retryable=failure.retryable, unknown=failure.unknown
            )
        case never:
            assert_never(never)


def _user_errors(info: Info, outcome: Outcome) -> list[UserError]:
    if outcome.failure is None:
        return []
    view = info.context.fleet.rollout(outcome.ref)
    return [user_error(outcome.failure, outcome.verb, view)]
