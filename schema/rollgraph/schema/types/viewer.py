"""The caller: who the gateway takes them for, and what they may do."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from rollgraph.core import viewer as core
from rollgraph.core.permission import Permission as CorePermission
from rollgraph.core.viewer import Login
from rollgraph.schema.context import Info
from rollgraph.schema.described import enum, resolved


class PermissionEffect(StrEnum):
    """What a line of the policy does."""

    ALLOW = "ALLOW"
    DENY = "DENY"


enum(
    PermissionEffect,
    "PermissionEffect",
    "What a line of the policy does.",
    {
        "ALLOW": "It allows that, unless another line forbids it.",
        "DENY": "It forbids that, whatever allows it.",
    },
)


@strawberry.type(description="A line of the gateway's policy that speaks of the caller.")
class Permission:
    """A line of the gateway's policy that speaks of the caller."""

    resource: str = strawberry.field(
        description="A pattern of what it is about: `rollouts`, `clusters`, `audit`."
    )
    action: str = strawberry.field(
        description="A pattern of what is done, as `@rbac` names it: `promote*`."
    )
    object: str = strawberry.field(
        description="A pattern of `cluster/namespace/name`, or of a cluster's name."
    )
    effect: PermissionEffect = strawberry.field(description="Whether it allows or forbids that.")
    project: str | None = strawberry.field(
        description="The Argo CD project for whose applications alone it is said."
    )


CLUSTER = strawberry.argument(description="Only what may concern this cluster.")
NAMESPACE = strawberry.argument(description="Only what may concern this namespace.")


@strawberry.type(description="Who asks, as policies and the audit name them.")
class Viewer:
    """Who asks, as policies and the audit name them."""

    viewer: strawberry.Private[core.Viewer]

    @resolved
    def subject(self) -> str:
        """The user's name in policies and in the audit."""
        return self.viewer.subject

    @resolved
    def name(self) -> str | None:
        """The name for people, if their identity provider tells it."""
        return self.viewer.name or None

    @resolved
    def email(self) -> str | None:
        """The address, if their identity provider tells it."""
        return self.viewer.email or None

    @resolved
    def groups(self) -> list[str]:
        """The groups, of which policies may speak, too."""
        return list(self.viewer.groups)

    @resolved
    def issuer(self) -> str | None:
        """Who vouches for the subject; null without a login."""
        return self.viewer.issuer or None

    @resolved
    def login(self) -> Login:
        """How they have shown who they are."""
        return self.viewer.login

    @resolved
    def scopes(self) -> list[str] | None:
        """What the token was narrowed to; null if it was not, and policies alone decide."""
        return None if self.viewer.scopes is None else sorted(self.viewer.scopes)

    @resolved
    def expires_at(self) -> datetime | None:
        """When the login ends; null if it does not."""
        return self.viewer.expires_at

    @resolved
    def permissions(
        self,
        info: Info,
        cluster: Annotated[str | None, CLUSTER] = None,
        namespace: Annotated[str | None, NAMESPACE] = None,
    ) -> list[Permission]:
        """What the policy says of them, by name or by role; `scopes` may narrow it further.

        `Rollout.viewerActions` says what all of it comes to, for one rollout at its present step.
        """
        said = info.context.rights.permissions(cluster, namespace)
        return [_permission(each) for each in said]


def _permission(said: CorePermission) -> Permission:
    return Permission(
        resource=said.resource,
        action=said.action,
        object=said.object,
        effect=PermissionEffect.ALLOW if said.allowed else PermissionEffect.DENY,
        project=said.project or None,
    )


def viewer(info: Info) -> Viewer:
    """The GraphQL object of who asks."""
    return Viewer(viewer=info.context.caller.viewer)
