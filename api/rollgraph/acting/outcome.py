"""What came of a request: what was done, or which way it failed. Both at once if it broke halfway.

An outcome holds no secret of ours, but patches may hold those of a pod template.
"""

from datetime import datetime
from typing import ClassVar, TypeAlias

import msgspec

from rollgraph.core.actions.plan import Patch
from rollgraph.core.decision import Decision
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb


class NotFound(msgspec.Struct, frozen=True, tag=True):
    """The rollout, or what the action names, does not exist."""

    message: str
    retryable: ClassVar[bool] = False


class Forbidden(msgspec.Struct, frozen=True, tag=True):
    """A layer refused; unless it is the spoke's own, the spoke was not asked."""

    message: str
    decision: Decision
    retryable: ClassVar[bool] = False


class NotApplicable(msgspec.Struct, frozen=True, tag=True):
    """The rollout is in a state that does not allow it.

    Attributes:
        retryable: True if that will pass by itself, in a moment.
    """

    message: str
    retryable: bool = False


class Conflict(msgspec.Struct, frozen=True, tag=True):
    """The rollout is not where the caller saw it, or somebody else was faster each time.

    Attributes:
        expected: The resourceVersion that the caller gave; None if none.
        actual: The resourceVersion now; "" if it is not known.
        step_index: How many steps are done now.
        pod_template_hash: That of the newest template now.
        retryable: True if the caller gave no expectation that fails again.
    """

    message: str
    expected: str | None = None
    actual: str = ""
    step_index: int | None = None
    pod_template_hash: str = ""
    retryable: bool = False


class ClusterUnavailable(msgspec.Struct, frozen=True, tag=True):
    """The spoke cannot be reached, or not with our credentials; certainly nothing was changed.

    Attributes:
        last_seen: When its API server last gave a sign of life, if ever.
        retryable: False if a person has to mend something first.
    """

    message: str
    cluster: str
    last_seen: datetime | None = None
    retryable: bool = True


class InvalidInput(msgspec.Struct, frozen=True, tag=True):
    """What was asked for makes no sense.

    Attributes:
        path: Which part of the request, if one: `("idempotencyKey",)`.
    """

    message: str
    path: tuple[str, ...] = ()
    retryable: ClassVar[bool] = False


class KubernetesRejected(msgspec.Struct, frozen=True, tag=True):
    """The API server understood, and refused what was sent."""

    message: str
    http_status: int
    kubernetes_reason: str = ""
    retryable: bool = False


class TimedOut(msgspec.Struct, frozen=True, tag=True):
    """Time ran out; the message says what is known of what was sent.

    Attributes:
        unknown: True if something was sent and nobody could tell what became of it. False if it
            is certain that nothing more was changed than the outcome says.
    """

    message: str
    unknown: bool = False
    retryable: bool = True


Failure: TypeAlias = (
    NotFound
    | Forbidden
    | NotApplicable
    | Conflict
    | ClusterUnavailable
    | InvalidInput
    | KubernetesRejected
    | TimedOut
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one action on one rollout.

    Attributes:
        operation_id: Names the operation in the audit and on the spoke; repeated under the same
            idempotency key it stays the same.
        message: What happens, for a person; "" if it failed.
        patches: What was sent, or would have been, in order; without preconditions.
        sent: How many of these have changed the spoke: less than all of them if it failed on the
            way, none in a dry run.
        dry_run: Nothing was to be changed.
        before: The Rollout's resourceVersion that it was decided on; "" if it was not read.
        after: The Rollout's resourceVersion after it; "" if nothing was changed or it is not known.
        uid: The Rollout's; "" if it was not read.
        acted_as: Who did it as the spoke saw it; "" if the spoke was not asked.
        stale: True if a read right after may not see it yet.
        failure: None if it went well.
        begun: False if it was one of many, and not even tried; then there is a failure, too.
    """

    ref: RolloutRef
    verb: Verb
    operation_id: str
    message: str = ""
    patches: tuple[Patch, ...] = ()
    sent: int = 0
    dry_run: bool = False
    before: str = ""
    after: str = ""
    uid: str = ""
    acted_as: str = ""
    stale: bool = False
    failure: Failure | None = None
    begun: bool = True

    @property
    def applied(self) -> bool:
        """True if the spoke has changed something, even if a later part failed."""
        return self.sent > 0

    @property
    def unknown(self) -> bool:
        """True if nobody can tell whether something was changed."""
        return isinstance(self.failure, TimedOut) and self.failure.unknown


class BulkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one action on many rollouts.

    Attributes:
        operation_id: Names the whole; each outcome has the same.
        outcomes: One for each rollout, in the order of the request, whatever happened.
        token: After a dry run by filter: what to run it with; else "".
        expires_at: Until when the token is good.
        failure: Why nothing was begun at all; then there are no outcomes.
    """

    operation_id: str
    outcomes: tuple[Outcome, ...] = ()
    token: str = ""
    expires_at: datetime | None = None
    failure: Failure | None = None

    @property
    def succeeded(self) -> int:
        """How many went well."""
        return sum(outcome.failure is None for outcome in self.outcomes)

    @property
    def skipped(self) -> int:
        """How many were not begun."""
        return sum(not outcome.begun for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """How many were begun, and did not go well."""
        return len(self.outcomes) - self.succeeded - self.skipped
