"""Why an action did not happen, as data: each kind with what a program needs to go on from it."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import strawberry

from rollgraph.core.decision import Layer
from rollgraph.core.phase import Phase
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Info
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.types.owners import ClusterRef, cluster_of
from rollgraph.schema.types.viewer_actions import ViewerAction, viewer_actions


class UserErrorCode(StrEnum):
    """The kinds of user errors."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    CONFLICT = "CONFLICT"
    CLUSTER_UNAVAILABLE = "CLUSTER_UNAVAILABLE"
    INVALID_INPUT = "INVALID_INPUT"
    KUBERNETES_REJECTED = "KUBERNETES_REJECTED"
    TIMEOUT = "TIMEOUT"


enum(
    UserErrorCode,
    "UserErrorCode",
    "The kinds of user errors; each has a type of its own.",
    {
        "NOT_FOUND": "What is named does not exist, or may not be seen.",
        "FORBIDDEN": "The viewer may not do this.",
        "NOT_APPLICABLE": "The rollout is in a state in which this is not possible.",
        "CONFLICT": "The rollout is not where the caller saw it.",
        "CLUSTER_UNAVAILABLE": "The cluster cannot be reached now.",
        "INVALID_INPUT": "The input makes no sense.",
        "KUBERNETES_REJECTED": "The cluster's API server refused what was sent.",
        "TIMEOUT": "Time ran out.",
    },
)


@strawberry.interface(description="Why something that was asked for did not happen.")
class UserError:
    """Why something that was asked for did not happen."""

    kind: ClassVar[UserErrorCode]

    message: str = strawberry.field(
        description="What is in the way and what to do, for a person; it may change."
    )
    path: list[str] | None = strawberry.field(
        description="The part of the input that it is about: `input`, `toStepIndex`.", default=None
    )
    retryable: bool = strawberry.field(
        description="Whether the same request may succeed in a moment.", default=False
    )

    @resolved
    def code(self) -> UserErrorCode:
        """The kind, for programs; it stays as it is."""
        return self.kind


@strawberry.type(description="What is named does not exist, or the viewer may not see it.")
class NotFoundError(UserError):
    """What is named does not exist, or the viewer may not see it."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.NOT_FOUND


@strawberry.type(
    description="The viewer may not do this; nothing was sent, or the cluster refused."
)
class ForbiddenError(UserError):
    """The viewer may not do this."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.FORBIDDEN

    layer: Layer = strawberry.field(description="Who refused.")
    action: str = strawberry.field(description="What was refused, as policies name it: `promote`.")
    missing_scopes: list[str] = strawberry.field(
        description="The scopes of which the token lacks one; empty unless the layer is `SCOPE`."
    )


@strawberry.type(description="The rollout is in a state in which this is not possible.")
class NotApplicableError(UserError):
    """The rollout is in a state in which this is not possible."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.NOT_APPLICABLE
    view: strawberry.Private[RolloutView | None] = None

    @resolved
    def phase(self) -> Phase:
        """Where the rollout stands, as far as the gateway knows."""
        return self.view.phase if self.view else Phase.UNKNOWN

    @resolved
    def viewer_actions(self, info: Info) -> list[ViewerAction]:
        """What the viewer may do instead."""
        return viewer_actions(info, self.view) if self.view else []


@strawberry.type(description="The rollout is not where the caller saw it: look again, then decide.")
class ConflictError(UserError):
    """The rollout is not where the caller saw it."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.CONFLICT

    expected_resource_version: str | None = strawberry.field(
        description="The version that the caller expected, if any."
    )
    actual_resource_version: str | None = strawberry.field(description="The version that is.")
    current_step_index: int | None = strawberry.field(
        description="How many of its steps are done now."
    )
    current_pod_template_hash: str | None = strawberry.field(
        description="The hash of its present template."
    )


@strawberry.type(description="The cluster cannot be reached now; nothing was done.")
class ClusterUnavailableError(UserError):
    """The cluster cannot be reached now; nothing was done."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.CLUSTER_UNAVAILABLE
    cluster_name: strawberry.Private[str]
    last_seen_at: datetime | None = strawberry.field(
        description="When its API server last gave a sign of life."
    )

    @resolved
    def cluster(self, info: Info) -> ClusterRef:
        """The cluster."""
        return cluster_of(info, self.cluster_name)


@strawberry.type(description="The input makes no sense; `path` says which part of it.")
class InvalidInputError(UserError):
    """The input makes no sense; `path` says which part of it."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.INVALID_INPUT


@strawberry.type(description="The cluster's API server refused what was sent.")
class KubernetesRejectedError(UserError):
    """The cluster's API server refused what was sent."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.KUBERNETES_REJECTED

    http_status: int = strawberry.field(description="The status that it answered with.")
    kubernetes_reason: str | None = strawberry.field(
        description="Its reason in a word, such as `Invalid`."
    )


@strawberry.type(description="Time ran out; `unknown` says whether something may have been done.")
class TimeoutError(UserError):
    """Time ran out; `unknown` says whether something may have been done."""

    kind: ClassVar[UserErrorCode] = UserErrorCode.TIMEOUT

    unknown: bool = strawberry.field(
        description="Whether nobody can tell if it was done: look at the rollout before you go on."
    )


# A schema finds the types behind an interface only if it is told.
USER_ERRORS: tuple[type[UserError], ...] = (
    NotFoundError,
    ForbiddenError,
    NotApplicableError,
    ConflictError,
    ClusterUnavailableError,
    InvalidInputError,
    KubernetesRejectedError,
    TimeoutError,
)
