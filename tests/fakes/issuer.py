"""An issuer of tokens without a network: its keys, its documents, and what it signs."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from fakes.clock import START, LoopClock
from rollgraph.adapters.oidc.verifier import OidcVerifier
from rollgraph.core.claims import Issuer

URL = "https://idp.example.com/realms/one"
NOW = int(START.timestamp())


def rsa(kid: str) -> RSAKey:
    """A key for RS256."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec(kid: str) -> ECKey:
    """A key for ES256."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


@dataclass
class FakeIssuer:
    """Answers as a provider does, with a record of who asked.

    Attributes:
        keys: What it publishes.
        down: Whether it answers nobody.
        said: Replaces parts of its metadata.
        cache_control: Of the key set.
        requests: The URLs that were asked for.
    """

    keys: list[Key] = field(default_factory=lambda: [rsa("one"), ec("two")])
    down: bool = False
    said: dict[str, Any] = field(default_factory=dict)
    cache_control: str = ""
    requests: list[str] = field(default_factory=list)

    def verifier(self, *others: Issuer, **agreed: Any) -> OidcVerifier:
        """A verifier that trusts it, and speaks with nobody else."""
        issuer = Issuer(**{"url": URL, "audiences": ("rollgraph",), **agreed})
        return OidcVerifier([issuer, *others], lambda _: self.options(), LoopClock())

    def options(self) -> dict[str, Any]:
        """How an HTTP client speaks with it."""
        return {"transport": httpx2.MockTransport(self._answer)}

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        url = str(request.url)
        self.requests.append(url)
        if self.down:
            raise httpx2.ConnectError("nobody there")
        if url.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(
                200, json={"issuer": URL, "jwks_uri": f"{URL}/keys", **self.said}
            )
        public = [key.as_dict(private=False) for key in self.keys]
        headers = {"cache-control": self.cache_control} if self.cache_control else {}
        return httpx2.Response(200, json={"keys": public}, headers=headers)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; None leaves one out."""
    good = {
        "iss": URL,
        "aud": "rollgraph",
        "sub": "alice",
        "iat": NOW,
        "exp": NOW + 600,
        "groups": ["deployers"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(key: Key, content: dict[str, Any] | str, **header: Any) -> str:
    """A token with these claims."""
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    head = {"alg": algorithm, "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    text = content if isinstance(content, str) else json.dumps(content)
    return jws.serialize_compact(
        head, text, key, registry=jws.JWSRegistry(strict_check_header=False)
    )


def at(seconds: float) -> datetime:
    """A time so long after the beginning of a test."""
    return datetime.fromtimestamp(NOW + seconds, UTC)
