"""What the claims of a token say of a viewer, by the agreement with whoever issued it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.verbs import Scope
from rollgraph.core.viewer import Login, Viewer

# Names that mean something of their own in policies and in clusters. Many providers let people
# choose `preferred_username`, so nobody becomes one of these by being called so.
RESERVED = ("system:", "role:", "proj:")

# Groups of a person. Entra ID sends 200 at most; who has thousands has a broken provider.
MOST_GROUPS = 1000

_OURS = frozenset(Scope)


class Profile(StrEnum):
    """Which tokens an issuer makes.

    GENERIC: ID tokens and access tokens as most providers make them. RFC9068: JWT access tokens
    as that standard has them; ID tokens are none.
    """

    GENERIC = "oidc-generic"
    RFC9068 = "rfc9068"


class Issuer(msgspec.Struct, frozen=True):
    """An agreement with one issuer of tokens.

    Attributes:
        url: Its `iss`, to the letter.
        audiences: Whom a token must be meant for: one of these.
        required_claims: Claims that a token must have, with these values; a claim that is a list
            must hold the value.
        username_claim: Where the subject stands. Dots lead into objects, as in `a.b`; a claim
            whose own name has dots is found too.
        groups_claims: Where the groups stand, in each as a list or as one string.
        scopes_claim: Where the scopes stand, as a list or as words with spaces between.
    """

    url: str
    audiences: tuple[str, ...]
    profile: Profile = Profile.GENERIC
    required_claims: Mapping[str, str] = {}
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claims: tuple[str, ...] = ("groups",)
    groups_prefix: str = ""
    scopes_claim: str = "scope"


def viewer(claims: Mapping[str, Any], issuer: Issuer, login: Login = Login.TOKEN) -> Viewer:
    """The viewer that a token with these claims is of; that the token is good is known.

    Raises `UnauthenticatedViewerError` if the agreement is not kept.
    """
    _require(claims, issuer.required_claims)
    return Viewer(
        subject=_subject(claims, issuer),
        groups=_groups(claims, issuer),
        issuer=issuer.url,
        login=login,
        name=_text(claims.get("name")),
        email=_text(claims.get("email")),
        # A browser's login is the person themselves; only tokens are handed on.
        scopes=None if login is Login.SESSION else _scopes(claims, issuer),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def find(claims: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as `realm_access.roles`; None if there is none."""
    if path in claims:
        return claims[path]
    head, dot, rest = path.partition(".")
    inner = claims.get(head)
    return find(inner, rest) if dot and isinstance(inner, Mapping) else None


def _require(claims: Mapping[str, Any], required: Mapping[str, str]) -> None:
    for path, expected in required.items():
        value = find(claims, path)
        held = value if isinstance(value, list) else [value]
        if expected not in (_plain(item) for item in held):
            raise UnauthenticatedViewerError(f"the token lacks a claim that is required: {path}")


def _plain(value: object) -> str:
    """A value as settings write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _subject(claims: Mapping[str, Any], issuer: Issuer) -> str:
    path = issuer.username_claim
    name = find(claims, path)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise UnauthenticatedViewerError(f"the token has no name in the claim {path}")
    # As Kubernetes does: else whoever may enter any address at the provider becomes anybody.
    if path == "email" and claims.get("email_verified", True) is not True:
        raise UnauthenticatedViewerError("the provider has not verified the email of the token")
    subject = issuer.username_prefix + name
    if subject.startswith(RESERVED):
        raise UnauthenticatedViewerError(
            f"the name in the claim {path} begins with {', '.join(RESERVED[:-1])} or "
            f"{RESERVED[-1]}, which is reserved"
        )
    return subject


def _groups(claims: Mapping[str, Any], issuer: Issuer) -> tuple[str, ...]:
    values = (find(claims, path) for path in issuer.groups_claims)
    groups = [group for value in values for group in _words(value)]
    named = [issuer.groups_prefix + group for group in groups if group.strip()]
    if len(named) > MOST_GROUPS:
        raise UnauthenticatedViewerError(f"the token names more than {MOST_GROUPS} groups")
    # What clusters reserve: an impersonated group of that name would be one of theirs.
    return tuple(group for group in dict.fromkeys(named) if not group.startswith("system:"))


def _words(value: object) -> list[str]:
    """The texts of a list, or the one text."""
    held = value if isinstance(value, list) else [value]
    return [item for item in held if isinstance(item, str)]


def _scopes(claims: Mapping[str, Any], issuer: Issuer) -> frozenset[str] | None:
    """The scopes that a token is narrowed to.

    A generic provider knows nothing of our scopes: its tokens name `openid` and the like. Only
    one that names a scope of ours was narrowed on purpose.
    """
    value = find(claims, issuer.scopes_claim)
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    ours = frozenset(word for word in words if isinstance(word, str) and word in _OURS)
    return ours if ours or issuer.profile is Profile.RFC9068 else None


def _text(value: object) -> str:
    """A claim that is only shown: what is no short text is left out."""
    return value if isinstance(value, str) and len(value) <= 256 and value.isprintable() else ""
