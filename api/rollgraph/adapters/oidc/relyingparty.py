"""Logins of people at a provider: authorization code with PKCE, refresh, logout."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx2
import msgspec
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from rollgraph.adapters.oidc import fetching
from rollgraph.adapters.oidc.provider import Provider
from rollgraph.adapters.oidc.refusals import word
from rollgraph.adapters.oidc.verifier import OidcVerifier
from rollgraph.core.claims import Issuer
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.session import Grant, PendingLogin


@dataclass(frozen=True, slots=True)
class Client:
    """As whom we speak to a provider.

    Attributes:
        secret: "" for a public client.
        scopes: What a login asks for.
    """

    id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...]
    resource: str = ""


class RelyingParty:
    """A `ports.LoginProvider`: one issuer, as one of its clients.

    Args:
        issuer: The agreement.
        client: Who we are to it.
        verifier: Knows its tokens; the issuer must be among those of it.
        options: How an HTTP client speaks with it.
    """

    def __init__(
        self,
        issuer: Issuer,
        client: Client,
        verifier: OidcVerifier,
        options: Mapping[str, Any],
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._verifier = verifier
        self._options = options

    async def begin(self, back: str) -> PendingLogin:
        """Of the port."""
        provider = await self._provider("authorization_endpoint")
        nonce, verifier = generate_token(43), generate_token(64)
        extra = {"resource": self._client.resource} if self._client.resource else {}
        async with self._speaking() as client:
            url, state = client.create_authorization_url(
                provider.authorization_endpoint,
                state=generate_token(43),
                code_verifier=verifier,
                nonce=nonce,
                redirect_uri=back,
                **extra,
            )
        return PendingLogin(url, state, nonce, verifier)

    async def finish(self, answer: Mapping[str, str], pending: PendingLogin, back: str) -> Grant:
        """Of the port."""
        provider = await self._provider("token_endpoint")
        self._check(answer, pending, provider)
        async with self._speaking() as client:
            tokens = await client.fetch_token(
                provider.token_endpoint,
                grant_type="authorization_code",
                code=answer["code"],
                code_verifier=pending.verifier,
                redirect_uri=back,
            )
        return await self._grant(tokens, pending.nonce)

    async def renew(self, grant: Grant) -> Grant:
        """Of the port."""
        provider = await self._provider("token_endpoint")
        async with self._speaking() as client:
            # The same scopes as before: authlib would ask for those of the client again.
            client.scope = None
            client.token = {"refresh_token": grant.refresh_token}
            tokens = await client.refresh_token(
                provider.token_endpoint, refresh_token=grant.refresh_token
            )
        return await self._grant(tokens, None, grant)

    async def farewell(self, back: str) -> str:
        """Of the port.

        Without the ID token, of which many providers take a hint who it is: it would stand in a
        URL, in histories and logs. The provider asks the person instead. By POST it need not be in
        a URL, but then browsers keep the provider's own cookies back.
        """
        try:
            provider = await self._verifier.provider(self._issuer.url)
        except IdentityProviderError:
            return ""  # whoever logs out is logged out here, whatever the provider does
        if not provider.end_session_endpoint:
            return ""
        asked = {"client_id": self._client.id, "post_logout_redirect_uri": back}
        return str(httpx2.URL(provider.end_session_endpoint).copy_merge_params(asked))

    def _check(self, answer: Mapping[str, str], pending: PendingLogin, provider: Provider) -> None:
        """Holds what came back against what was begun: RFC 6749, 10.12; RFC 9207."""
        if answer.get("state") != pending.state:
            raise UnauthenticatedViewerError("the answer is of another login (state); try again")
        issuer = answer.get("iss")
        if issuer is None and provider.authorization_response_iss_parameter_supported:
            raise UnauthenticatedViewerError("the answer does not say who gives it (iss)")
        if issuer not in {None, self._issuer.url}:
            raise UnauthenticatedViewerError("the answer is another issuer's (iss)")
        if "error" in answer:
            raise UnauthenticatedViewerError(f"the provider refused: {word(answer['error'])}")
        if not answer.get("code"):
            raise UnauthenticatedViewerError("the answer has no code")

    async def _grant(
        self, tokens: Mapping[str, Any], nonce: str | None, before: Grant | None = None
    ) -> Grant:
        id_token = tokens.get("id_token")
        refresh = str(tokens.get("refresh_token") or (before.refresh_token if before else ""))
        if not isinstance(id_token, str):
            if before is None:
                raise UnauthenticatedViewerError("the provider sent no ID token: ask for `openid`")
            # A refresh need not tell again who it is.
            until = _end(tokens, before.until)
            viewer = msgspec.structs.replace(before.viewer, expires_at=until)
            return Grant(viewer, before.id_token, refresh, until)
        viewer, claims = await self._verifier.verify_login(
            id_token, self._issuer, self._client.id, nonce
        )
        if before is not None and viewer.subject != before.viewer.subject:
            raise UnauthenticatedViewerError("the provider renewed the login as somebody else's")
        return Grant(viewer, id_token, refresh, datetime.fromtimestamp(claims["exp"], UTC))

    async def _provider(self, needed: str) -> Provider:
        provider = await self._verifier.provider(self._issuer.url)
        if not getattr(provider, needed):
            raise IdentityProviderError(f"{self._issuer.url} has no {needed}")
        return provider

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[Any]:
        """authlib's client, on a connection that is made as all others to the provider."""
        url = self._issuer.url
        with fetching.translated(url), anyio.fail_after(fetching.TIMEOUT):
            client = AsyncOAuth2Client(
                client_id=self._client.id,
                client_secret=self._client.secret or None,
                scope=" ".join(self._client.scopes),
                code_challenge_method="S256",
                **self._options,
            )
            async with client:
                try:
                    yield client
                except OAuthError as error:
                    raise _refused(error, url) from error
                except ValueError as error:
                    raise IdentityProviderError(f"{url} sent no JSON object") from error


def _refused(error: OAuthError, issuer: str) -> Exception:
    """What a provider's error means: is it the login's end, or the client's fault?"""
    refused = word(error.error)
    if refused in {"invalid_grant", "access_denied", "login_required", "interaction_required"}:
        return UnauthenticatedViewerError(f"the provider refused: {refused}; log in again")
    return IdentityProviderError(f"{issuer} refused us as a client: {refused}")


def _end(tokens: Mapping[str, Any], otherwise: datetime) -> datetime:
    at = tokens.get("expires_at")
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else otherwise
