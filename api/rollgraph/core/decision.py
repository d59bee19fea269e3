"""May somebody do something: the answer, and which layer gave it."""

from enum import StrEnum

import msgspec


class Layer(StrEnum):
    """Who can refuse, in the order in which they are asked.

    SCOPE: the token was narrowed. CASBIN: the policy. KUBERNETES_RBAC: the spoke itself.
    """

    SCOPE = "SCOPE"
    CASBIN = "CASBIN"
    KUBERNETES_RBAC = "KUBERNETES_RBAC"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Allowed, or refused by a layer.

    Attributes:
        refused_by: None if it is allowed.
        missing_scopes: The scopes of which one is missing, if the layer is SCOPE.
        message: Why not, for a person; it tells nothing that the viewer may not know.
    """

    refused_by: Layer | None = None
    missing_scopes: tuple[str, ...] = ()
    message: str = ""

    @property
    def allowed(self) -> bool:
        """True if nobody refused."""
        return self.refused_by is None


ALLOWED = Decision()
