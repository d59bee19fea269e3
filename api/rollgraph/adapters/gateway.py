"""A Rollgraph elsewhere, asked over HTTP."""

import ssl
from typing import Any

import httpx2
import msgspec

from rollgraph.core.errors import RemoteError

# Seconds. A server gives an operation 10 by default, and actions longer.
TIMEOUT = 60.0
# Bytes. 200 rollouts with all of their pods have some 2 MiB.
LARGEST = 64 * 1024 * 1024


class Gateway:
    """One server. No redirect is followed: a token is for the server that was named.

    Args:
        url: Where it is, without `/graphql`.
        verify: Whom to believe.
        proxied: Whether the environment's proxies lead there.
    """

    def __init__(self, url: str, verify: ssl.SSLContext, *, proxied: bool) -> None:
        self._url = url
        self._options: dict[str, Any] = {"verify": verify, "timeout": TIMEOUT}
        self._options["trust_env"] = proxied

    async def login(self) -> dict[str, Any]:
        """What it says of how to log in. Raises `RemoteError`."""
        status, content = await self._send("GET", "/.well-known/rollgraph")
        if status == 404:
            raise RemoteError(
                f"{self._url} has no login for the command line: either nobody has to log in, or "
                "its oidc.cli_client_id is not set"
            )
        if status != 200:
            raise RemoteError(f"{self._url} answered HTTP {status}")
        return content

    async def ask(self, body: bytes, token: str) -> tuple[int, dict[str, Any]]:
        """The status and the answer to a question. Raises `RemoteError`."""
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return await self._send("POST", "/graphql", content=body, headers=headers)

    async def _send(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        try:
            async with (
                httpx2.AsyncClient(**self._options) as client,
                client.stream(method, f"{self._url}{path}", **more) as response,
            ):
                content = await _content(response)
        except (httpx2.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise RemoteError(f"{self._url} cannot be reached: {reason}") from error
        return response.status_code, content


async def _content(response: httpx2.Response) -> dict[str, Any]:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise RemoteError(f"the answer is larger than {LARGEST >> 20} MiB: ask for less")
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RemoteError(
            f"the answer is no JSON object (HTTP {response.status_code}): is this a Rollgraph?"
        ) from error
