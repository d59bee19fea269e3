"""Who asks: the caller of a request, as policies and the audit name them."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Login(StrEnum):
    """How a viewer has shown who they are.

    NONE: not at all, `--auth none`. TOKEN: an OIDC access or ID token. SESSION: a browser's login.
    SERVICE_ACCOUNT: a Kubernetes service account's token.
    """

    NONE = "NONE"
    TOKEN = "TOKEN"
    SESSION = "SESSION"
    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"


class Viewer(msgspec.Struct, frozen=True):
    """The caller of a request. It holds no secret, so it may be logged.

    Attributes:
        subject: The user in policies, in the audit and, where it is impersonated, on spokes.
        groups: Groups, of which policies may speak, too.
        issuer: Who vouches for the subject; "" without a login.
        scopes: The scopes that the token was narrowed to; None if it was not, and policies alone
            decide.
        expires_at: When the login ends; None if it does not.
    """

    subject: str
    groups: tuple[str, ...] = ()
    issuer: str = ""
    login: Login = Login.TOKEN
    name: str = ""
    email: str = ""
    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None


# Whoever reaches a Rollgraph without a login: only this machine can.
LOCAL = Viewer("local", login=Login.NONE)
