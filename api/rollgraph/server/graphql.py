"""The GraphQL endpoint: HTTP in, the schema's answer out."""

from collections.abc import Callable
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter
from cross_web import HTTPException as Refused
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.schema.base import BaseSchema

from rollgraph.server.page import PAGE
from rollgraph.server.requestid import request_id

# Bytes. A portal's largest queries have some 20 KiB; what is longer only costs us.
LONGEST_BODY = 256 * 1024

_METHODS = ("GET", "POST")


class Endpoint(GraphQL[object, None]):
    """Serves one schema.

    Args:
        schema: What is served.
        context: Makes the surroundings of one request, given its id.
        visit: Makes what a person with a browser and no question gets.
    """

    def __init__(
        self,
        schema: BaseSchema,
        context: Callable[[str], object],
        visit: Callable[[], Response] = lambda: HTMLResponse(PAGE),
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._context = context
        self._visit = visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. Raises starlette's `HTTPException` for what is no GraphQL at all."""
        if scope["method"] not in _METHODS:
            raise HTTPException(
                405,
                "GraphQL is asked with GET or POST",
                {"Allow": ", ".join(_METHODS)},
            )
        request = Request[Any](scope, _bounded(scope, receive))
        response = self._visit() if _is_a_visit(request) else await self._ask(request)
        await response(scope, receive, send)

    async def _ask(self, request: Request[Any]) -> Response:
        try:
            return await self.run(request)
        except Refused as error:
            raise HTTPException(error.status_code, error.reason) from error

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: strawberry's page loads scripts from elsewhere, and takes curl for a browser."""
        return False

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> object:
        """The surroundings of a request."""
        return self._context(request_id(request.scope))

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """As strawberry does, which takes it for granted that the JSON is an object."""
        try:
            return await super().parse_http_body(request)
        except AttributeError as error:
            raise Refused(400, "The body is not a JSON object") from error

    def decode_json(self, data: str | bytes) -> object:
        """Reads JSON; its error is a `json.JSONDecodeError`."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        """Writes JSON."""
        return orjson.dumps(data)


def _is_a_visit(request: Request[Any]) -> bool:
    """True for a person with a browser and no question."""
    return (
        request.method == "GET"
        and "query" not in request.query_params
        and "text/html" in request.headers.get("accept", "")
    )


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Refuses a body that is too long, before it is read if it says so itself."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LONGEST_BODY:
            raise _too_long()
        return message

    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > LONGEST_BODY:
        raise _too_long()
    return bounded


def _too_long() -> HTTPException:
    # The rest of the body is still on its way: the connection is of no more use.
    return HTTPException(
        413,
        f"The body has more than {LONGEST_BODY // 1024} KiB",
        {"Connection": "close"},
    )
