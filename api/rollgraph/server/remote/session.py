"""Logging in at a server, and asking it."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from rollgraph.adapters.gateway import Gateway
from rollgraph.adapters.oidc import fetching
from rollgraph.adapters.oidc.device import DeviceLogin
from rollgraph.core.errors import RemoteError, UnauthenticatedViewerError
from rollgraph.server.remote.logins import Login, Logins

# Seconds before its end at which a token is renewed: it must outlive the question.
AHEAD = 60.0


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    """What a server says of its login; see `server.auth.routes.CommandLine`."""

    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    token: str
    resource: str = ""


class Session:
    """The user at one server.

    Args:
        server: Its URL.
        logins: The user's logins.
        ca_file: Authorities besides the system's, for the server and the provider.

    Raises `ConfigError` for a URL that would send a token in the clear.
    """

    def __init__(self, server: str, logins: Logins, ca_file: Path | None = None) -> None:
        self.server = server.rstrip("/").removesuffix("/graphql")
        fetching.check_url(self.server, "the server's URL (--server)")
        self._logins = logins
        self._trust = fetching.trust(ca_file)
        proxied = bool(self._options(self.server)["trust_env"])
        self._gateway = Gateway(self.server, self._trust, proxied=proxied)

    async def log_in(self, say: Callable[[str], None]) -> None:
        """Logs in: tells where to go, and waits until somebody has been there.

        Raises `RemoteError`, `UnauthenticatedViewerError` and `IdentityProviderError`.
        """
        told = await self._told()
        device = self._device(told.issuer, told.client_id, told.resource, told.scopes)
        invitation = await device.begin()
        say(f"Open {invitation.complete or invitation.url} in a browser")
        say(f"and confirm this code there: {invitation.code}")
        tokens = await device.wait(invitation)
        self._keep(tokens, told)
        say(f"You are logged in to {self.server}.")

    async def ask(self, body: bytes, token: str = "") -> tuple[int, dict[str, Any]]:
        """The status and the answer to a question, asked with a token or as who is logged in."""
        return await self._gateway.ask(body, token or await self._token())

    @asynccontextmanager
    async def subscribe(
        self, body: bytes, token: str = ""
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The answers to a subscription, as they come; see `Gateway.subscribe`.

        Raises what `ask` raises.
        """
        async with self._gateway.subscribe(body, token or await self._token()) as answers:
            yield answers

    async def _token(self) -> str:
        login = self._logins.all().get(self.server)
        if login is None:
            return ""  # perhaps nobody has to log in; the server's answer tells
        if login.until - AHEAD > time.time():
            return login.token
        with self._logins.locked():
            return await self._renewed()

    async def _renewed(self) -> str:
        login = self._logins.all().get(self.server)  # another process may have been here
        if login is None or login.until - AHEAD > time.time():
            return "" if login is None else login.token
        if not login.refresh_token:
            raise UnauthenticatedViewerError("the login has ended")
        told = _Told(login.issuer, login.client_id, (), login.sent, login.resource)
        device = self._device(told.issuer, told.client_id, told.resource, ())
        tokens = await device.renew(login.refresh_token)
        self._keep({"refresh_token": login.refresh_token, **tokens}, told)
        return str(tokens[login.sent])

    def _keep(self, tokens: Mapping[str, Any], told: _Told) -> None:
        token = tokens.get(told.token)
        if not isinstance(token, str):
            raise RemoteError(f"{told.issuer} gave no {told.token}, which {self.server} wants")
        self._logins.put(
            self.server,
            Login(
                issuer=told.issuer,
                client_id=told.client_id,
                sent=told.token,
                resource=told.resource,
                token=token,
                refresh_token=str(tokens.get("refresh_token") or ""),
                until=float(tokens.get("expires_at") or 0),
            ),
        )

    async def _told(self) -> _Told:
        try:
            return msgspec.convert(await self._gateway.login(), _Told)
        except msgspec.ValidationError as error:
            raise RemoteError(f"{self.server} does not tell how to log in: {error}") from error

    def _device(
        self, issuer: str, client_id: str, resource: str, scopes: tuple[str, ...]
    ) -> DeviceLogin:
        return DeviceLogin(issuer, client_id, scopes, self._options(issuer), resource)

    def _options(self, url: str) -> dict[str, Any]:
        return fetching.options(url, self._trust)
