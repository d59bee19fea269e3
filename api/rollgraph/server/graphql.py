"""The GraphQL endpoint: HTTP in, the schema's answer out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, StarletteRequestAdapter
from cross_web import HTTPException as Refused
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.base import BaseSchema
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from rollgraph.access.caller import Caller
from rollgraph.schema.context import Context
from rollgraph.schema.limits.extension import ASK
from rollgraph.server.admission import Admission
from rollgraph.server.answers import Answers, Question
from rollgraph.server.bodies import LONGEST_BODY, bounded
from rollgraph.server.deadline import ACTION_TIMEOUT, TIMEOUT, Deadline
from rollgraph.server.identifying import caller_of
from rollgraph.server.negotiation import GRAPHQL, JSON, answer_type, is_json, stream_types
from rollgraph.server.operation import Operation, address
from rollgraph.server.page import PAGE
from rollgraph.server.rates import told
from rollgraph.server.requestid import request_id
from rollgraph.server.streams.serving import HOW, NOT_BY_GET, Identify, Streams, anybody

_METHODS = ("GET", "POST")
# Of what is no stream's fault: a mutation by GET, and a subscription by who takes no stream.
_FOR_WHAT_IT_SAYS = (405, 406)


class _Adapter(StarletteRequestAdapter):
    """Starlette's request as strawberry sees it, which compares media types as written.

    Attributes:
        request: That request.
    """

    def __init__(self, request: Request[Any]) -> None:
        super().__init__(request)
        self.request = request

    @property
    def content_type(self) -> str | None:
        """The media type of the body in lower case."""
        return (super().content_type or "").lower()


class Endpoint(GraphQL[object, None]):
    """Serves one schema.

    Args:
        schema: What is served.
        context: Makes the surroundings of one request, given its id and who asks.
        answers: Answers that are kept; None keeps none.
        visit: Makes what a person with a browser and no question gets, whoever they are.
        streams: Serves what has more than one answer; None where nothing has.
        identify: Tells who asks. It is asked first: of others not even the question is read.
        admission: What has to be so before an operation is executed; None for nothing.
        longest_body: KiB that a request's body may have.
        timeout: Seconds that a query may take.
        action_timeout: Seconds that a mutation may take, all its actions together.
    """

    request_adapter_class = _Adapter

    def __init__(
        self,
        schema: BaseSchema,
        context: Callable[[str, Caller], Context],
        answers: Answers | None = None,
        visit: Callable[[], Response] = lambda: HTMLResponse(PAGE),
        *,
        streams: Streams | None = None,
        identify: Identify = anybody,
        admission: Admission | None = None,
        longest_body: int = LONGEST_BODY,
        timeout: float = TIMEOUT,
        action_timeout: float = ACTION_TIMEOUT,
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._context = context
        self._answers = answers
        self._visit = visit
        self._streams = streams
        self._identify = identify
        self._admission = admission
        self._longest_body = longest_body
        self._timeout = timeout
        self._action_timeout = action_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. Raises starlette's `HTTPException` for what is no GraphQL at all."""
        if scope["type"] == "websocket" and self._streams is not None:
            await self._streams.socket(scope, receive, send)
            return
        if scope["method"] not in _METHODS:
            raise HTTPException(
                405,
                "GraphQL is asked with GET or POST",
                {"Allow": ", ".join(_METHODS)},
            )
        request = Request[Any](scope, bounded(scope, receive, self._longest_body))
        if _is_a_visit(request):
            response = self._visit()
        else:
            caller = request.state.caller = await caller_of(request, self._identify)
            _check_media_types(request)
            response = await self._stream(request, caller) or await self._ask(request, caller)
        await response(scope, receive, send)

    async def _ask(self, request: Request[Any], caller: Caller) -> Response:
        if self._answers is None or request.method != "POST":
            return await self._execute(request)
        headers = request.headers
        body = await request.body()
        media_types = (headers.get("accept", ""), headers.get("content-type", ""))
        documents = self._admission.version if self._admission is not None else 0
        question = Question((caller.rights.key, documents), *media_types, body)
        version = self._answers.version()
        answer = self._answers.find(question)
        if answer is None:
            answer = await self._execute(request)
            if _settled(request, answer) and self._answers.version() == version:
                self._answers.keep(question, version, answer)
        return answer

    async def _stream(self, request: Request[Any], caller: Caller) -> Response | None:
        """The answer to who takes streams, if it is one. None for most, without a look."""
        if self._streams is None or not any(stream_types(request.headers.get("accept", ""))):
            return None
        try:
            with Deadline(self._timeout, self._action_timeout):
                asked = await self.parse_http_body(_Adapter(request))
        except TimeoutError as error:
            raise HTTPException(504, str(error)) from error
        except Refused as error:
            raise HTTPException(error.status_code, error.reason) from error
        if isinstance(asked, list) or asked.query is None:
            return None
        last = request.headers.get("last-event-id", "")
        operation = Operation(
            asked.query,
            asked.variables,
            asked.operation_name,
            asked.extensions,
            last,
            address(request),
        )
        try:
            return self._streams.response(request, caller, operation)
        except HTTPException as error:
            if self._admission is not None and error.status_code in _FOR_WHAT_IT_SAYS:
                await self._admission.refuse(operation, caller.viewer)
            raise

    async def _execute(self, request: Request[Any]) -> Response:
        try:
            with Deadline(self._timeout, self._action_timeout) as deadline:
                request.state.deadline = deadline
                answer = await self.run(request)
        except TimeoutError as error:
            raise HTTPException(504, str(error)) from error
        except Refused as error:
            if request.method == "GET" and isinstance(error.__cause__, InvalidOperationTypeError):
                raise HTTPException(405, error.reason, {"Allow": "POST"}) from error
            raise HTTPException(error.status_code, error.reason) from error
        self._settle(request, answer)
        return answer

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: strawberry's page loads scripts from elsewhere, and takes curl for a browser."""
        return False

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> object:
        """The surroundings of a request."""
        caller: Caller = request.state.caller
        request.state.context = context = self._context(request_id(request.scope), caller)
        context.on_action = request.state.deadline.extend
        return context

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """What is known of the answer so far: its media type."""
        media_type = answer_type(request.headers.get("accept", "")) or JSON
        request.state.answer = answer = Response(media_type=f"{media_type}; charset=utf-8")
        return answer

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """The body of an answer.

        A request that has not been executed at all has no data, and in the newer media type the
        status says so.
        """
        request.state.failed = bool(result.errors)
        body = await super().process_result(request, result)
        if result.extensions and ASK in result.extensions:
            _tell_cost(request, body)
        if result.data is None and all(error.path is None for error in result.errors or ()):
            del body["data"]
            answer: Response = request.state.answer
            if answer.media_type and answer.media_type.startswith(GRAPHQL):
                answer.status_code = 400
        return body

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """The answer."""
        return Response(
            self.encode_json(response_data),
            status_code=sub_response.status_code,
            media_type=sub_response.media_type,
        )

    async def execute_single(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        """As strawberry does, which would execute a subscription like a query."""
        asked: GraphQLRequestData = kwargs["request_data"]
        request: Request[Any] = kwargs["request"]
        if asked.query is not None:
            operation = Operation(
                asked.query,
                asked.variables,
                asked.operation_name,
                asked.extensions,
                address=address(request),
            )
            await self._admit(request, operation)
        return await super().execute_single(*args, **kwargs)

    async def _admit(self, request: Request[Any], operation: Operation) -> None:
        """Raises an `HTTPException` if the operation is not to be executed."""
        admission, viewer = self._admission, request.state.caller.viewer
        asking = self._streams.means.asking if self._streams is not None else None
        if asking is not None and asking.kind(operation) is OperationType.SUBSCRIPTION:
            if admission is not None:
                await admission.refuse(operation, viewer)
            raise Refused(406, HOW)
        if admission is None:
            return
        if request.method == "GET" and admission.acts(operation):
            # Strawberry would say the same, when it has been paid for.
            await admission.refuse(operation, viewer)
            raise HTTPException(405, NOT_BY_GET, {"Allow": "POST"})
        context: Context = request.state.context
        context.paid = (await admission.admit(operation, viewer)).paid

    def _settle(self, request: Request[Any], answer: Response) -> None:
        """Gives back what was taken for more than there is in an answer.

        Nothing for one with errors: they make null what has been worked for, and anybody can ask
        for one at the end.
        """
        context: Context | None = getattr(request.state, "context", None)
        if getattr(request.state, "failed", True):
            return
        if self._admission is not None and context is not None and context.paid is not None:
            # `data` and what is around it are no objects of the schema.
            around = max(0, bytes(answer.body).count(b"{") - 2)
            objects = getattr(request.state, "objects", around)
            viewer = request.state.caller.viewer
            self._admission.settle(viewer, address(request), context.paid, objects)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """As strawberry does, which takes it for granted that the JSON is an object."""
        try:
            data = await super().parse_http_body(request)
        except AttributeError as error:
            raise Refused(400, "The body is not a JSON object") from error
        name: object = None if isinstance(data, list) else data.operation_name
        if not isinstance(name, str | None):
            raise Refused(400, "`operationName` must be a string or null, if provided")
        if self._admission is None or isinstance(data, list):
            return data
        id_ = await self._document_id(request) if data.query is None else ""
        assert isinstance(request, _Adapter)
        asked = Operation(
            data.query or "",
            data.variables,
            name,
            data.extensions,
            address=address(request.request),
            document=id_,
        )
        found = await self._admission.document(asked, request.request.state.caller.viewer)
        return replace(data, query=found.query or data.query)

    async def _document_id(self, request: AsyncHTTPRequestAdapter) -> str:
        """The id of the document, of a request without one; "" if there is none."""
        if request.method == "GET":
            id_: Any = request.query_params.get("documentId")
        else:
            body: Any = self.decode_json(await request.get_body())
            id_ = body.get("documentId")
        if not isinstance(id_, str | None):
            raise Refused(400, "`documentId` must be a string or null, if provided")
        return id_ or ""

    def decode_json(self, data: str | bytes) -> object:
        """Reads JSON; its error is a `json.JSONDecodeError`."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        """Writes JSON."""
        return orjson.dumps(data)


def _tell_cost(request: Request[Any], body: GraphQLHTTPResponse) -> None:
    """Adds to what the schema tells of the cost, which is the caller's alone then."""
    context: Context = request.state.context
    context.moment_reads += 1
    if context.paid is not None:
        objects: int | None = None
        if not request.state.failed:
            encoded = orjson.dumps(body["data"])
            data: Any = orjson.Fragment(encoded)
            body["data"] = data
            request.state.objects = objects = max(0, encoded.count(b"{") - 1)
        extensions: dict[str, Any] = body["extensions"] or {}
        extensions[ASK] |= told(context.paid, context.time(), objects)


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
        and not request.query_params.keys() & {"query", "documentId", "extensions"}
        and "text/html" in request.headers.get("accept", "")
    )


def _check_media_types(request: Request[Any]) -> None:
    if request.method == "POST" and not is_json(request.headers.get("content-type", "")):
        # Also what a page's form can send to another site without being asked: see `guard`.
        raise HTTPException(415, f"A question is sent as {JSON}, in UTF-8", {"Accept-Post": JSON})
    accept = request.headers.get("accept", "")
    if answer_type(accept) is None and not any(stream_types(accept)):
        raise HTTPException(406, f"Answers are {GRAPHQL} or {JSON}")
