"""The caller: who the gateway takes them for, and what they may do."""

from datetime import datetime

import strawberry

from rollgraph.core import viewer as core
from rollgraph.core.viewer import Login
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved


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


def viewer(info: Info) -> Viewer:
    """The GraphQL object of who asks."""
    return Viewer(viewer=info.context.caller.viewer)
