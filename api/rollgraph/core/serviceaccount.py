"""Tokens of Kubernetes service accounts, as far as they can be told without their cluster."""

import base64
from collections.abc import Collection
from datetime import datetime

import msgspec

from rollgraph.core.errors import UnauthenticatedViewerError

PREFIX = "system:serviceaccount:"

# Characters. A service account's token has some 1,200.
LONGEST = 16 * 1024


class Claims(msgspec.Struct, frozen=True):
    """What such a token says of itself. None of it is believed: a cluster has to say so."""

    sub: str
    exp: float | None = None
    aud: str | list[str] = []


def read(token: str) -> Claims | None:
    """The claims of a token, if it looks like a service account's."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = msgspec.json.decode(payload, type=Claims)
    except (ValueError, msgspec.MsgspecError):
        return None
    return claims if claims.sub.startswith(PREFIX) else None


def check(claims: Claims, audiences: Collection[str], now: datetime) -> None:
    """Refuses what no cluster need be asked about. Raises `UnauthenticatedViewerError`."""
    if claims.exp is not None and claims.exp <= now.timestamp():
        raise UnauthenticatedViewerError("the service account's token has expired (exp)")
    meant = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    if not meant & set(audiences):
        raise UnauthenticatedViewerError(
            "the service account's token is not meant for Rollgraph (aud): ask for one with "
            f"`kubectl create token --audience {min(audiences)}`"
        )
