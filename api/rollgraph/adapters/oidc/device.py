"""Logins where there is no browser: the device authorization grant, RFC 8628."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from rollgraph.adapters.oidc import fetching, provider
from rollgraph.adapters.oidc.provider import Provider
from rollgraph.adapters.oidc.refusals import word
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Seconds between two questions, if the provider does not say; RFC 8628, 3.2.
INTERVAL = 5.0
# Seconds more when it asks us to slow down; 3.5.
SLOWER = 5.0
# Seconds that a person has, if the provider says more or nothing.
PATIENCE = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a person is told: where to go with a browser, and which code to confirm there.

    Attributes:
        complete: The URL with the code in it; "" if there is none.
        code: The person's code.
        device_code: Ours. Secret.
        interval: Seconds between two questions.
        within: Seconds that the person has.
    """

    url: str
    complete: str
    code: str
    device_code: str = field(repr=False)
    interval: float = INTERVAL
    within: float = PATIENCE


class DeviceLogin:
    """Logins at one issuer as one public client.

    Args:
        options: How an HTTP client speaks with it.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        scopes: tuple[str, ...],
        options: Mapping[str, Any],
        resource: str = "",
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._scopes = " ".join(scopes)
        self._options = options
        self._resource = {"resource": resource} if resource else {}

    async def begin(self) -> Invitation:
        """Begins a login. Raises `IdentityProviderError`."""
        known = await self._provider()
        asked = {"client_id": self._client_id, "scope": self._scopes, **self._resource}
        async with self._speaking() as client:
            answer = await client.request(
                "POST", known.device_authorization_endpoint, data=asked, withhold_token=True
            )
            told = answer.json()
            if answer.status_code != 200 or not isinstance(told, dict):
                raise IdentityProviderError(
                    f"{self._issuer} refused to begin a login (HTTP {answer.status_code}): may the "
                    f"client {self._client_id} use the device flow?"
                )
        try:
            return Invitation(
                str(told["verification_uri"]),
                str(told.get("verification_uri_complete", "")),
                str(told["user_code"]),
                str(told["device_code"]),
                float(told.get("interval", INTERVAL)),
                min(float(told["expires_in"]), PATIENCE),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise IdentityProviderError(f"{self._issuer} began no login as agreed") from error

    async def wait(self, invitation: Invitation) -> dict[str, Any]:
        """The provider's tokens, once the person has agreed.

        Raises `UnauthenticatedViewerError` if they refuse or take too long, and
        `IdentityProviderError`.
        """
        known = await self._provider()
        interval = invitation.interval
        with anyio.move_on_after(invitation.within):
            while True:
                await anyio.sleep(interval)
                try:
                    return await self._ask(known, invitation)
                except _NotYetError as error:
                    interval += error.slower
        raise UnauthenticatedViewerError("nobody confirmed the login in time")

    async def renew(self, refresh_token: str) -> dict[str, Any]:
        """Newer tokens. Raises as `wait` does."""
        known = await self._provider()
        async with self._speaking() as client:
            client.scope = None
            client.token = {"refresh_token": refresh_token}
            return dict(
                await client.refresh_token(
                    known.token_endpoint, refresh_token=refresh_token, **self._resource
                )
            )

    async def _ask(self, known: Provider, invitation: Invitation) -> dict[str, Any]:
        async with self._speaking() as client:
            return dict(
                await client.fetch_token(
                    known.token_endpoint,
                    grant_type=GRANT,
                    device_code=invitation.device_code,
                    **self._resource,
                )
            )

    async def _provider(self) -> Provider:
        fetching.check_url(self._issuer, "the issuer that the server names")
        metadata = await fetching.get(self._options, provider.address(self._issuer), self._issuer)
        known = provider.read(metadata.content, self._issuer)
        if not known.device_authorization_endpoint or not known.token_endpoint:
            raise IdentityProviderError(f"{self._issuer} has no device flow")
        return known

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[Any]:
        with fetching.translated(self._issuer), anyio.fail_after(fetching.TIMEOUT):
            client = AsyncOAuth2Client(
                client_id=self._client_id, token_endpoint_auth_method="none", **self._options
            )
            async with client:
                try:
                    yield client
                except OAuthError as error:
                    raise _meant(str(error.error), self._issuer) from error
                except ValueError as error:
                    raise IdentityProviderError(f"{self._issuer} sent no JSON object") from error


class _NotYetError(Exception):
    """The person has not agreed yet.

    Args:
        slower: Seconds more to wait from now on.
    """

    def __init__(self, slower: float) -> None:
        super().__init__()
        self.slower = slower


def _meant(error: str, issuer: str) -> Exception:
    match error:
        case "authorization_pending":
            return _NotYetError(0)
        case "slow_down":
            return _NotYetError(SLOWER)
        case "access_denied":
            return UnauthenticatedViewerError("the login was refused in the browser")
        case "expired_token":
            return UnauthenticatedViewerError("nobody confirmed the login in time")
        case "invalid_grant":
            return UnauthenticatedViewerError("the login has ended")
        case _:
            return IdentityProviderError(f"{issuer} refused: {word(error)}")
