"""The outermost layer: names each request, logs it, and lets no failure out unmasked."""

import time
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rollgraph.ports import Tracing
from rollgraph.ports.tracing import Part
from rollgraph.server.failures import failure
from rollgraph.server.requestid import HEADER, name_request, request_id

_log = structlog.get_logger(__name__)

# What the log says of a caller who went away before asking the whole question; nginx's number.
_GONE = 499

# A WebSocket that breaks without a word (RFC 6455, 7.4.1).
_UNTOLD = 1006
# Not 1011: of the two, clients of GraphQL know only this one.
_BUG = {"code": 4500, "reason": "Internal error"}

# Nobody may frame, sniff, load or keep an answer: it is about now, and for who asked.
_ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# The path whose requests are followed.
FOLLOWED = "/graphql"

# Probes come every few seconds, for ever; GraphiQL's files by the dozen.
_UNREMARKABLE = ("/livez", "/readyz", "/startupz", "/metrics", "/static/")


class Journal:
    """Starlette's middleware of this layer.

    Args:
        app: What is inside of it.
        tracing: Follows requests; by default nobody does.
        join: Whether a request is a part of the trace that its caller names. Who that is is not
            known here yet: anybody could put spans into anybody's trace, and have them recorded.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing | None = None, *, join: bool = False) -> None:
        self._app = app
        self._tracing = tracing or Tracing()
        self._join = join

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] not in _KINDS:
            await self._app(scope, receive, send)
            return
        entry = _KINDS[scope["type"]]
        named = structlog.contextvars.bound_contextvars(request_id=name_request(scope))
        with named, self._followed(scope):
            await entry(self._app, scope, receive, send).run()

    def _followed(self, scope: Scope) -> AbstractContextManager[str]:
        """A question in GraphQL, and what its caller is at; a socket is many."""
        if not self._tracing.follows or scope["type"] != "http" or scope["path"] != FOLLOWED:
            return nullcontext("")
        callers = Headers(scope=scope).get("traceparent", "")
        parent, link = (callers, "") if self._join else ("", callers)
        said = {"http.request.method": scope["method"], "rollgraph.request_id": request_id(scope)}
        name = f"{scope['method']} {FOLLOWED}"
        return self._tracing.span(name, Part.SERVER, parent=parent, link=link, said=said)


class _Entry:
    """One request on its way."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._status = 0
        self._started = time.perf_counter()
        # As it was sent, with %1b for ESC: a decoded one could write to the reader's terminal.
        self._path = scope.get("raw_path", b"").decode("latin-1")

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._note)
        except ClientDisconnect:
            self._status = _GONE
        except Exception:
            _log.exception("request_failed", path=self._path)
            if self._status:
                # Half an answer is out. Only a broken connection says that the rest is missing.
                raise
            await self._mask()
        finally:
            self._write()

    async def _mask(self) -> None:
        request = Request[Any](self._scope)
        answer = failure(request, 500, "Internal error")
        await answer(self._scope, self._receive, self._note)

    async def _note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = int(message["status"])
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
            headers[HEADER] = request_id(self._scope)
        await self._send(message)

    def _write(self) -> None:
        level = "debug" if self._scope["path"].startswith(_UNREMARKABLE) else "info"
        getattr(_log, level)(
            "request",
            method=self._scope["method"],
            path=self._path,
            status=self._status,
            milliseconds=round((time.perf_counter() - self._started) * 1000, 2),
        )


class _Socket:
    """One WebSocket, from its handshake to its end."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._code = 0
        self._started = time.perf_counter()

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._hear, self._say)
        except Exception:  # noqa: BLE001 - logged, and told to the client
            _log.exception("socket_failed")
            with suppress(OSError, RuntimeError):
                await self._say({"type": "websocket.close", **_BUG})
        finally:
            self._write()

    async def _hear(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._code = self._code or int(message.get("code") or _UNTOLD)
        return message

    async def _say(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            self._code = int(message.get("code", 1000))
        elif message["type"] == "websocket.http.response.start":
            self._code = int(message["status"])
        await self._send(message)

    def _write(self) -> None:
        _log.info(
            "socket",
            path=self._scope.get("raw_path", b"").decode("latin-1"),
            code=self._code or _UNTOLD,
            seconds=round(time.perf_counter() - self._started, 2),
        )


_KINDS: dict[str, type[_Entry | _Socket]] = {"http": _Entry, "websocket": _Socket}
