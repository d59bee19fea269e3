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
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.base import BaseSchema
from strawberry.types import ExecutionResult

from rollgraph.schema.context import Context
from rollgraph.server.answers import Answers, Question
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
        answers: Answers that are kept; None keeps none.
        visit: Makes what a person with a browser and no question gets.
    """

    def __init__(
        self,
        schema: BaseSchema,
        context: Callable[[str], Context],
        answers: Answers | None = None,
        visit: Callable[[], Response] = lambda: HTMLResponse(PAGE),
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._context = context
        self._answers = answers
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
        if self._answers is None or request.method != "POST":
            return await self._execute(request)
        headers = request.headers
        body = await request.body()
        question = Question(headers.get("accept", ""), headers.get("content-type", ""), body)
        version = self._answers.version()
        answer = self._answers.find(question)
        if answer is None:
            answer = await self._execute(request)
            if _settled(request, answer) and self._answers.version() == version:
                self._answers.keep(question, version, answer)
        return answer

    async def _execute(self, request: Request[Any]) -> Response:
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
        request.state.context = context = self._context(request_id(request.scope))
        return context

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """The body of an answer."""
        request.state.failed = bool(result.errors)
        return await super().process_result(request, result)

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


def _settled(request: Request[Any], answer: Response) -> bool:
    """Whether an answer depends on nothing but the question and the rollouts."""
    state = request.state
    context: Context | None = getattr(state, "context", None)
    whole = answer.status_code == 200 and not getattr(state, "failed", True)
    return whole and context is not None and context.moment_reads == 0


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
