"""Where streams begin: who may have one, and in which way it goes."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.types.graphql import OperationType

from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.server.failures import failure
from rollgraph.server.negotiation import EVENTS, MULTIPART, answer_type, stream_types
from rollgraph.server.operation import Operation
from rollgraph.server.requestid import request_id
from rollgraph.server.streams.connection import Connection
from rollgraph.server.streams.encodings import Encoding, EventStream, Multipart
from rollgraph.server.streams.means import Means
from rollgraph.server.streams.messages import SUBPROTOCOL, Code
from rollgraph.server.streams.response import COME_BACK, StreamResponse

_log = structlog.get_logger(__name__)

Identify: TypeAlias = Callable[[HTTPConnection], Awaitable[Caller]]
OfInit: TypeAlias = Callable[[object], Awaitable[Caller | None]]

STOPPING = "This gateway stops: try again, for another one"
FULL = "This gateway has as many streams as it may: try again, for another one"
NOT_BY_GET = "mutations are not allowed when using GET"
HOW = (
    "A subscription is answered as text/event-stream, as multipart/mixed;subscriptionSpec=1.0, "
    f"or over a WebSocket ({SUBPROTOCOL})"
)


async def nobody(_: object) -> Caller | None:
    """Where `connection_init` names nobody."""
    return None


async def anybody(_: HTTPConnection) -> Caller:
    """Where whoever comes is let in."""
    return ANYBODY


class Streams:
    """The streams of a process.

    Args:
        means: What they share.
        identify: Tells who asks by a request, which a WebSocket begins as.
        of_init: Tells whom `connection_init` names, who then goes before; None if nobody.
    """

    def __init__(
        self, means: Means, identify: Identify = anybody, of_init: OfInit = nobody
    ) -> None:
        self.means = means
        self._identify = identify
        self._of_init = of_init

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one WebSocket, to its end."""
        socket = WebSocket(scope, receive, send)
        if refusal := self._refusal():
            await socket.send_denial_response(failure(socket, 503, refusal, _come_back()))
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(Code.SUBPROTOCOL, f"Subprotocol not acceptable: {SUBPROTOCOL}")
            return
        await socket.accept(SUBPROTOCOL)

        async def who(payload: object) -> Caller:
            named = await self._of_init(payload)
            return named if named is not None else await self._identify(socket)

        connection = Connection(socket, who, self.means, request_id(scope))
        with self.means.drain.knows(lambda: connection.end(Code.RESTART, STOPPING)):
            await connection.run()

    def response(
        self, request: Request[Any], caller: Caller, operation: Operation
    ) -> Response | None:
        """The answer to a request that is answered by a stream; None if this one is not.

        What is no subscription is answered as ever unless its caller takes nothing but streams:
        some clients take all that there is in every request. Raises starlette's `HTTPException`.
        """
        accept = request.headers.get("accept", "")
        encoding = _encoding(accept)
        kind = self.means.asking.kind(operation)
        if kind is not OperationType.SUBSCRIPTION and (
            encoding is None or answer_type(accept) is not None
        ):
            return None
        if encoding is None:
            raise HTTPException(406, HOW)
        if kind is OperationType.MUTATION and request.method == "GET":
            raise HTTPException(405, NOT_BY_GET, {"Allow": "POST"})
        if refusal := self._refusal():
            raise HTTPException(503, refusal, _come_back())
        return StreamResponse(
            operation, caller, partial(self._identify, request), encoding, self.means
        )

    def _refusal(self) -> str:
        """Why nobody gets a stream now; "" if that is not so."""
        if self.means.drain.begun:
            return STOPPING
        return FULL if len(self.means.drain) >= self.means.places.most else ""


def _encoding(accept: str) -> Encoding | None:
    """The way in which a caller takes a stream: the first that it names."""
    ways = {EVENTS: EventStream, MULTIPART: Multipart}
    return next((ways[each]() for each in stream_types(accept)), None)


def _come_back() -> dict[str, str]:
    return {"Retry-After": str(COME_BACK)}
