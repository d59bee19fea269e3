"""A token as it can be read offline: before any key is known, so nothing in it is believed yet."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import ExceededSizeError, JoseError

from rollgraph.core.errors import UnauthenticatedViewerError

# Bytes. Entra ID's with 200 groups has some 8 KiB; uvicorn refuses header lines beyond 64 KiB.
LONGEST = 16 * 1024

# Signatures by a key that only the issuer has. Never HS*: there the public key, which everybody
# can fetch, would sign; never `none`. Ed25519 is EdDSA's newer name (RFC 9864).
ALGORITHMS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    "Ed25519",
)


class Registry(jws.JWSRegistry):
    """joserfc's, with room for the certificates that some providers put into the header.

    Headers that it does not know are ignored, `jku`, `x5u` and `jwk` among them: a key never comes
    from where a token says. `crit` must be understood.
    """

    max_header_length = LONGEST
    max_payload_length = LONGEST


REGISTRY = Registry(algorithms=ALGORITHMS, strict_check_header=False)


class Unverified(msgspec.Struct, frozen=True):
    """What a token says of itself. A secret's content: never part of a text."""

    signed: jws.CompactSignature
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def algorithm(self) -> str:
        """One of `ALGORITHMS`."""
        return str(self.header["alg"])

    @property
    def kid(self) -> str | None:
        """The name of the key that is said to have signed it."""
        return self.header.get("kid")

    @property
    def type(self) -> str:
        """The `typ` of its header in lower case, without `application/`."""
        return str(self.header.get("typ", "")).lower().removeprefix("application/")

    def __repr__(self) -> str:
        return "Unverified(...)"


def read(token: str) -> Unverified:
    """Reads a token. Raises `UnauthenticatedViewerError`, which repeats nothing of it."""
    if len(token) > LONGEST:
        raise UnauthenticatedViewerError(f"the token is longer than {LONGEST // 1024} KiB")
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=REGISTRY)
        header = signed.headers()
        claims = json.loads(
            signed.payload, object_pairs_hook=_distinct, parse_constant=_no_constant
        )
    except ExceededSizeError as error:
        raise UnauthenticatedViewerError("a part of the token is too long") from error
    except (JoseError, ValueError, RecursionError) as error:
        raise UnauthenticatedViewerError("the token is no JWT in its compact form") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise UnauthenticatedViewerError("the token's parts are no JSON objects")
    _check_header(header)
    return Unverified(signed, header, claims)


def _check_header(header: dict[str, Any]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise UnauthenticatedViewerError("the token's algorithm is not one of those allowed")
    if "crit" in header or "b64" in header:
        raise UnauthenticatedViewerError("the token demands an extension that is not known here")
    if not isinstance(header.get("kid"), str | None):
        raise UnauthenticatedViewerError("the token's key id is no text")


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of a doubled claim may see different ones: another might have checked the other.
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a claim is there twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
