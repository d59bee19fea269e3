"""The other end of ASGI: a WebSocket, or a stream over HTTP, as its client has it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Scope

# Messages that may wait on a line before whoever writes has to wait.
ROOM = 1000


class Line:
    """A connection between a client and an application.

    Attributes:
        blocked: While it is set to an event, what the application sends waits for that event.
    """

    def __init__(self, room: float = ROOM) -> None:
        self._to_app, self._from_client = anyio.create_memory_object_stream[Message](room)
        self._to_client, self._from_app = anyio.create_memory_object_stream[Message](room)
        self.blocked: anyio.Event | None = None

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        """Runs the application at the other end."""
        await app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        """The application's."""
        return await self._from_client.receive()

    async def send(self, message: Message) -> None:
        """The application's."""
        if self.blocked is not None:
            await self.blocked.wait()
        await self._to_client.send(message)

    async def say(self, message: Message) -> None:
        """The client's."""
        await self._to_app.send(message)

    async def hear(self) -> Message:
        """The client's."""
        return await self._from_app.receive()

    def heard(self) -> list[Message]:
        """All that has come and was not heard yet."""
        found = []
        while self._from_app.statistics().current_buffer_used:
            found.append(self._from_app.receive_nowait())
        return found

    async def __aenter__(self) -> "Line":
        """Open from the start."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends it on both sides."""
        for end in (self._to_app, self._from_client, self._to_client, self._from_app):
            end.close()


class Socket:
    """A client's WebSocket that speaks `graphql-transport-ws`."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def say(self, type_: str, **rest: Any) -> None:
        """Sends a message of the protocol."""
        await self.raw(json.dumps({"type": type_, **rest}))

    async def raw(self, text: str | bytes) -> None:
        """Sends a frame."""
        key = "text" if isinstance(text, str) else "bytes"
        await self.line.say({"type": "websocket.receive", key: text})

    async def hear(self) -> dict[str, Any]:
        """The next message. Raises `AssertionError` if the connection is closed instead."""
        frame = await self.line.hear()
        assert frame["type"] == "websocket.send", frame
        message: dict[str, Any] = json.loads(frame["text"])
        return message

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, which comes next."""
        frame = await self.line.hear()
        assert frame["type"] == "websocket.close", frame
        return frame["code"], frame["reason"]

    async def init(self, payload: Mapping[str, Any] | None = None) -> None:
        """Says who asks, and waits for the answer."""
        await self.say("connection_init", **({} if payload is None else {"payload": payload}))
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, id_: str, query: str, **payload: Any) -> None:
        """Asks."""
        await self.say("subscribe", id=id_, payload={"query": query, **payload})

    async def leave(self) -> None:
        """Goes away."""
        await self.line.say({"type": "websocket.disconnect", "code": 1000})


@asynccontextmanager
async def socket(
    app: ASGIApp,
    headers: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = ("graphql-transport-ws",),
) -> AsyncIterator[Socket]:
    """A WebSocket to an application; whatever the application does, it is over at the end."""
    line = Line()
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "headers": _headers(headers),
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
    }
    async with line, anyio.create_task_group() as tasks:
        tasks.start_soon(line.serve, app, scope)
        await line.say({"type": "websocket.connect"})
        try:
            yield Socket(line)
        finally:
            tasks.cancel_scope.cancel()


class Stream:
    """A client's answer over HTTP that comes in parts.

    Attributes:
        status: Of the answer.
        headers: Of the answer.
        over: Whether the application has said that there is no more.
    """

    def __init__(self, line: Line, start: Message) -> None:
        self.line = line
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.over = False

    async def part(self) -> bytes:
        """The next part; b"" at the end."""
        message = await self.line.hear()
        self.over = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def rest(self) -> bytes:
        """All parts until the end."""
        parts = []
        while not self.over:
            parts.append(await self.part())
        return b"".join(parts)

    async def leave(self) -> None:
        """Goes away."""
        await self.line.say({"type": "http.disconnect"})


@asynccontextmanager
async def stream(
    app: ASGIApp,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Stream]:
    """An answer of an application to a POST."""
    line = Line()
    sent = json.dumps(body).encode()
    given = {"content-type": "application/json", "accept": "text/event-stream", **(headers or {})}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "headers": _headers(given),
    }
    async with line, anyio.create_task_group() as tasks:
        tasks.start_soon(line.serve, app, scope)
        await line.say({"type": "http.request", "body": sent, "more_body": False})
        try:
            yield Stream(line, await line.hear())
        finally:
            tasks.cancel_scope.cancel()


def _headers(given: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    headers = {"host": "127.0.0.1:8000", **(given or {})}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
