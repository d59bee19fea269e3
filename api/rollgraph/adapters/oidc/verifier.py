"""Callers by tokens that issuers sign: JWT, checked here with the issuer's keys."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import msgspec
from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwk import Key
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from rollgraph.adapters.oidc import jwt
from rollgraph.adapters.oidc.keys import Keys
from rollgraph.adapters.oidc.provider import Provider
from rollgraph.core import claims
from rollgraph.core.claims import Issuer, Profile
from rollgraph.core.errors import ConfigError, UnauthenticatedViewerError
from rollgraph.core.viewer import Login, Viewer
from rollgraph.ports import Clock

# Seconds that clocks may differ.
LEEWAY = 30
# Tokens that are known: a person has one or two at a time. Checking one anew takes 0.1 ms.
MOST_KNOWN = 10_000

# The `typ` of tokens that are for this. Others are for something else (`logout+jwt`), or are bound
# to a key which the caller would have to show (`dpop+jwt`).
_TYPES = {
    Profile.GENERIC: frozenset({"", "jwt", "at+jwt"}),
    Profile.RFC9068: frozenset({"at+jwt"}),
}
_ESSENTIAL = {
    Profile.GENERIC: ("exp", "iss", "aud", "sub"),
    Profile.RFC9068: ("exp", "iss", "aud", "sub", "iat", "jti", "client_id"),
}


class _Known(msgspec.Struct, frozen=True):
    """A token that was good."""

    viewer: Viewer
    key: Key
    keys: Keys
    until: float


class OidcVerifier:
    """A `ports.TokenVerifier` for the tokens of some issuers. `run` must run while it is used.

    A token that is not good is refused offline as far as that can be told: no request leaves for
    what has expired, is meant for others, or comes from nobody that is known.

    Args:
        issuers: The agreements; each issuer stands there once.
        options: How an HTTP client speaks with an issuer, by its URL.
        clock: Tells the time.

    Raises `ConfigError` for an issuer whose tokens could be meant for anybody.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        options: Callable[[str], Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        if open_ := [issuer.url for issuer in issuers if not issuer.audiences]:
            raise ConfigError(
                f"{open_[0]} has no audience: its tokens for others would be good here"
            )
        self._issuers = {
            issuer.url: (issuer, Keys(issuer.url, options(issuer.url))) for issuer in issuers
        }
        self._clock = clock
        # By SHA-256, so that no memory dump has tokens; the longest unused goes first.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def ages(self) -> Mapping[str, float]:
        """Seconds since the keys of each issuer were fetched, as far as they were."""
        ages = {url: keys.age for url, (_, keys) in self._issuers.items()}
        return {url: age for url, age in ages.items() if age is not None}

    async def run(self) -> None:
        """Keeps the issuers' keys until cancelled."""
        async with anyio.create_task_group() as tasks:
            for _, keys in self._issuers.values():
                tasks.start_soon(keys.run)

    async def provider(self, issuer: str) -> Provider:
        """An issuer's metadata; it must be one of ours. Raises `IdentityProviderError`."""
        return await self._issuers[issuer][1].provider()

    async def verify(self, token: str) -> Viewer:
        """Of the port."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        if (viewer := self._remembered(digest)) is not None:
            return viewer
        unverified = jwt.read(token)
        issuer, keys = self._issuer(unverified.claims)
        _check(unverified, issuer, self._now())
        viewer = claims.viewer(unverified.claims, issuer)
        key = await self._signer(unverified, keys)
        self._remember(digest, _Known(viewer, key, keys, unverified.claims["exp"] + LEEWAY))
        return viewer

    async def verify_login(
        self, token: str, issuer: Issuer, client_id: str, nonce: str | None
    ) -> tuple[Viewer, dict[str, Any]]:
        """The person that a provider's ID token for one of our clients is of, and its claims.

        Args:
            nonce: What the login was begun with; None for a token that came of a refresh.

        Raises as `verify` does.
        """
        unverified = jwt.read(token)
        known, keys = self._issuer(unverified.claims)
        meant = msgspec.structs.replace(known, audiences=(client_id,), profile=Profile.GENERIC)
        if known.url != issuer.url:
            raise UnauthenticatedViewerError("the ID token is another issuer's")
        _check(unverified, meant, self._now())
        if nonce is not None and unverified.claims.get("nonce") != nonce:
            raise UnauthenticatedViewerError("the ID token is of another login (nonce)")
        # For several audiences it must say who asked: OpenID Connect Core, 3.1.3.7.
        if unverified.claims.get("azp", client_id) != client_id:
            raise UnauthenticatedViewerError("the ID token was made for another client (azp)")
        await self._signer(unverified, keys)
        return claims.viewer(unverified.claims, known, Login.SESSION), unverified.claims

    def _issuer(self, content: dict[str, Any]) -> tuple[Issuer, Keys]:
        url = content.get("iss")
        found = self._issuers.get(url) if isinstance(url, str) else None
        if found is None:
            raise UnauthenticatedViewerError("the token's issuer is none that is trusted here")
        return found

    async def _signer(self, unverified: jwt.Unverified, keys: Keys) -> Key:
        key = await keys.find(unverified.kid, unverified.algorithm)
        try:
            good = jws.validate_compact(
                unverified.signed, key, algorithms=jwt.ALGORITHMS, registry=jwt.REGISTRY
            )
        except (JoseError, ValueError) as error:
            raise UnauthenticatedViewerError("the token's signature cannot be checked") from error
        if not good:
            raise UnauthenticatedViewerError("the token's signature is wrong")
        return key

    def _remembered(self, digest: bytes) -> Viewer | None:
        known = self._known.get(digest)
        if known is None:
            return None
        if known.until <= self._now() or not known.keys.holds(known.key):
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return known.viewer

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _check(token: jwt.Unverified, issuer: Issuer, now: float) -> None:
    """Holds a token against the agreement, as far as its signature is no part of it."""
    if token.type not in _TYPES[issuer.profile]:
        raise UnauthenticatedViewerError("the token's type (typ) is not that of one for an API")
    if "cnf" in token.claims:
        raise UnauthenticatedViewerError(
            "the token is bound to a key (cnf), so it must not be taken from a mere bearer"
        )
    options: dict[str, ClaimsOption] = {
        name: {"essential": True} for name in _ESSENTIAL[issuer.profile]
    }
    options["iss"]["value"] = issuer.url
    options["aud"]["values"] = list(issuer.audiences)
    try:
        JWTClaimsRegistry(now=int(now), leeway=LEEWAY, **options).validate(token.claims)
    except ExpiredTokenError as error:
        raise UnauthenticatedViewerError("the token has expired (exp)") from error
    except MissingClaimError as error:
        raise UnauthenticatedViewerError(f"the token lacks a claim: {error.claim}") from error
    except ClaimError as error:
        raise UnauthenticatedViewerError(_WRONG.get(error.claim, "a claim is wrong")) from error
    except JoseError as error:
        raise UnauthenticatedViewerError("the token's claims cannot be read") from error


_WRONG = {
    "aud": "the token is not meant for Rollgraph (aud)",
    "exp": "the token's end (exp) is no time",
    "iat": "the token was issued in the future (iat)",
    "nbf": "the token is not valid yet (nbf)",
    "sub": "the token's subject (sub) is no text",
    "iss": "the token's issuer (iss) is wrong",
    "jti": "the token's id (jti) is no text",
}
