"""What an API server says of a token."""

import msgspec

from rollgraph.core.errors import UnreadableError
from rollgraph.ports import Reviewed

TOKEN_REVIEWS = "apis/authentication.k8s.io/v1/tokenreviews"


class _User(msgspec.Struct):
    username: str = ""
    groups: list[str] = []


class _Status(msgspec.Struct):
    authenticated: bool = False
    user: _User = msgspec.field(default_factory=_User)
    audiences: list[str] = []


class _Review(msgspec.Struct):
    status: _Status


def reviewed(body: bytes) -> Reviewed | None:
    """Whose it is; None if it is no good.

    A server that knows no audiences leaves them out and has compared none: then the token is good
    for the server itself, which is not what was asked. Raises `UnreadableError` without the answer,
    for that repeats the token.
    """
    try:
        status = msgspec.json.decode(body, type=_Review).status
    except msgspec.MsgspecError:
        raise UnreadableError("the server's answer is no TokenReview") from None
    if not status.authenticated or not status.user.username or not status.audiences:
        return None
    return Reviewed(status.user.username, tuple(status.user.groups))
