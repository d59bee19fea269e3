"""As whom a spoke is asked: as Rollgraph, or as the person who wants it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import msgspec


class IdentityMode(StrEnum):
    """As whom actions are carried out on a spoke; the value stands in settings.

    SERVICE_ACCOUNT: with Rollgraph's own credentials; the person is named in the audit alone.
    IMPERSONATE: with Rollgraph's own credentials in the person's name, so that the spoke's RBAC
    decides about the person and its audit names them. PASSTHROUGH: with the person's own token,
    for spokes that trust the same identity provider.
    """

    SERVICE_ACCOUNT = "serviceAccount"
    IMPERSONATE = "impersonate"
    PASSTHROUGH = "passthrough"


class Ourselves(msgspec.Struct, frozen=True):
    """Rollgraph's own credentials."""

    def __str__(self) -> str:
        return "rollgraph"


class Impersonated(msgspec.Struct, frozen=True):
    """Rollgraph's own credentials in somebody's name.

    Attributes:
        user: Never empty, and never one of Kubernetes' own (`system:`); nor is any group.
        request_id: Told to the spoke's audit; "" where that is not allowed.
    """

    user: str
    groups: tuple[str, ...] = ()
    request_id: str = ""

    def __str__(self) -> str:
        return self.user


@dataclass(frozen=True, slots=True)
class PassedThrough:
    """Somebody's own token, and nothing of ours.

    Attributes:
        token: A secret: it is never part of a text.
        user: Whose it is, as we know them.
    """

    token: str = field(repr=False)
    user: str = ""

    def __str__(self) -> str:
        return self.user


Identity: TypeAlias = Ourselves | Impersonated | PassedThrough

OURSELVES = Ourselves()
