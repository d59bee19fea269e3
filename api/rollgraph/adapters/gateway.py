"""A Rollgraph elsewhere, asked over HTTP."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from rollgraph.core.errors import RemoteError

# Seconds. A server gives an operation 10 by default, and actions longer.
TIMEOUT = 60.0
# Bytes. 200 rollouts with all of their pods have some 2 MiB.
LARGEST = 64 * 1024 * 1024
# Seconds. A stream in which nothing happens has a sign of life every 15 by default.
SILENCE = 45.0
# Bytes. A rollout as a command shows it has some 4 KiB.
LARGEST_EVENT = 1024 * 1024
# What a server, or what stands before it, says when it is to be asked again.
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


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

    @asynccontextmanager
    async def subscribe(
        self, body: bytes, token: str
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The answers to a subscription, as they come; they end when the server says so.

        What the server says instead of a stream is the only answer.

        Raises `RemoteError` if it cannot be had now, and within the block if it breaks.
        """
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        url = f"{self._url}/graphql"
        try:
            async with (
                httpx2.AsyncClient(**{**self._options, "timeout": SILENCE}) as client,
                client.stream("POST", url, content=body, headers=headers) as response,
            ):
                if response.status_code in _TRY_AGAIN:
                    raise RemoteError(f"{self._url} answered HTTP {response.status_code}")
                yield _answers(response)
        except httpx2.ReadTimeout as error:
            raise RemoteError(f"{self._url} has said nothing for {SILENCE:g} s") from error
        except (httpx2.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise RemoteError(f"{self._url} cannot be reached: {reason}") from error

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


async def _answers(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        yield await _content(response)
        return
    async for event in httpx2.EventSource(response, max_event_size=LARGEST_EVENT):
        if event.event == "complete":
            return
        if event.event == "next":
            yield _read(event.data, response.status_code)
    raise RemoteError("the stream broke off")


async def _content(response: httpx2.Response) -> dict[str, Any]:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise RemoteError(f"the answer is larger than {LARGEST >> 20} MiB: ask for less")
    return _read(body, response.status_code)


def _read(body: bytes | str, status: int) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RemoteError(
            f"the answer is no JSON object (HTTP {status}): is this a Rollgraph?"
        ) from error
