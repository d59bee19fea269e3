"""What an action's caller gets back: what was done, or what was in the way."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from rollgraph.core.actions.plan import Patch, PatchType
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.context import Info
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.directives import not_for_routers
from rollgraph.schema.scalars import Json
from rollgraph.schema.types.rollout import Rollout, rollout_of
from rollgraph.schema.types.user_errors import UserError

if TYPE_CHECKING:
    from rollgraph.schema.query import Query

    QueryRoot = Query
else:
    QueryRoot = Annotated["Query", strawberry.lazy("rollgraph.schema.query")]

enum(
    PatchType,
    "PatchType",
    "How the body of a patch is applied.",
    {
        "MERGE": "As a JSON merge patch (RFC 7396).",
        "JSON": "As a JSON patch (RFC 6902).",
    },
)


@strawberry.type(description="One change that is sent to the cluster's API server.")
class ActionPatch:
    """One change that is sent to the cluster's API server."""

    patch: strawberry.Private[Patch]
    sent: bool = strawberry.field(description="Whether the API server has taken it.")

    @resolved
    def resource(self) -> str:
        """What is patched, as Kubernetes' RBAC names it: `rollouts.argoproj.io`."""
        return self.patch.resource.value

    @resolved
    def namespace(self) -> str:
        """The object's namespace."""
        return self.patch.key.namespace

    @resolved
    def name(self) -> str:
        """The object's name."""
        return self.patch.key.name

    @resolved
    def subresource(self) -> str | None:
        """The part of the object that has a path of its own: `status`, or null."""
        return self.patch.subresource or None

    @resolved
    def type(self) -> PatchType:
        """How the body is applied."""
        return self.patch.type

    @resolved
    def body(self) -> Json:
        """The body, without the resourceVersion that it is bound to."""
        return Json(self.patch.body)


@strawberry.type(description="What came of an action on one rollout.")
class RolloutActionPayload:
    """What came of an action on one rollout."""

    ref: strawberry.Private[RolloutRef | None]
    client_mutation_id: str | None = strawberry.field(
        description="The input's, as it was.", default=None
    )
    operation_id: strawberry.ID | None = strawberry.field(
        description="Names the operation in the audit and in events; null if it was not begun.",
        default=None,
    )
    applied: bool = strawberry.field(
        description="Whether the cluster has changed something. It may be so beside an error, if "
        "a later patch failed; and it is not if nothing was to do.",
        default=False,
    )
    dry_run: bool = strawberry.field(description="Whether nothing was to be changed.")
    message: str | None = strawberry.field(
        description="What happens, for a person; null if it failed.", default=None
    )
    patches: list[ActionPatch] = strawberry.field(
        description="What was sent, or with `dryRun` would have been, in order.",
        default_factory=list,
    )
    resource_version_before: str | None = strawberry.field(
        description="The rollout's `resourceVersion` that it was decided on.", default=None
    )
    resource_version_after: str | None = strawberry.field(
        description="The rollout's `resourceVersion` after it, if it was changed.", default=None
    )
    stale: bool = strawberry.field(
        description="Whether `rollout`, and what is read right after, may not show it yet.",
        default=False,
    )
    user_errors: list[UserError] = strawberry.field(
        description="What was in the way; empty if it went well.", default_factory=list
    )

    @resolved
    def rollout(self, info: Info) -> Rollout | None:
        """The rollout after it; null if it does not exist, or the viewer may not see it."""
        return rollout_of(info, self.ref) if self.ref else None

    @not_for_routers
    @resolved
    def query(self) -> QueryRoot:
        """All that can be asked, after it."""
        from rollgraph.schema.query import Query

        return Query()
