"""Operations that are asked over a stream: executed, with all limits, and told one by one."""

from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NamedTuple, Protocol, TypeAlias

import orjson
import structlog
from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from rollgraph.access.caller import Caller
from rollgraph.ports import OperationObserver, Tracing
from rollgraph.ports.tracing import Part
from rollgraph.schema.context import Context
from rollgraph.schema.errors import translate
from rollgraph.schema.limits.extension import ASK
from rollgraph.schema.streams.answer import Answer as Event
from rollgraph.server.admission import Admission, Admitted
from rollgraph.server.deadline import ACTION_TIMEOUT, TIMEOUT, Deadline
from rollgraph.server.failures import OperationRefusedError, code
from rollgraph.server.operation import Operation
from rollgraph.server.rates import told

_log = structlog.get_logger(__name__)

EXPIRED = "TOKEN_EXPIRED"


class GoneError(Exception):
    """Whoever asked is not there any more, or takes nothing."""


class Answer(NamedTuple):
    """One of the answers to an operation.

    Attributes:
        body: As GraphQL has it: `data`, `errors`, `extensions`; empty where it is encoded already.
        refused: Whether the operation was not executed at all.
        encoded: The body as it is sent, where that is known already; it has no errors then.
    """

    body: dict[str, Any]
    refused: bool = False
    encoded: bytes | None = None

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What went wrong; empty if nothing did."""
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def expired(self) -> bool:
        """Whether it says that the login has ended."""
        if self.encoded is not None:
            return False
        return any(each.get("extensions", {}).get("code") == EXPIRED for each in self.errors)

    def json(self) -> bytes:
        """The body as it is sent."""
        return orjson.dumps(self.body) if self.encoded is None else self.encoded


Tell: TypeAlias = Callable[[Answer], Awaitable[None]]


class Streaming(Protocol):
    """A schema, as far as streams need it."""

    def kind(self, query: str, operation_name: str | None) -> OperationType | None:
        """See `Schema.kind`."""
        ...

    async def stream(self, query: str | None, *args: Any, **kwargs: Any) -> Any:
        """See strawberry's `Schema.stream`."""
        ...


class Asking:
    """Executes operations.

    Args:
        schema: What is asked.
        context: Makes the surroundings of an operation, given the request's id and who asks.
        timeout: Seconds that a query may take.
        action_timeout: Seconds that a mutation may take.
        admission: What has to be so before; None for nothing.
        observer: Hears what becomes of subscriptions; of the rest the schema tells.
        tracing: Follows events to who subscribes.
    """

    def __init__(
        self,
        schema: Streaming,
        context: Callable[[str, Caller], Context],
        timeout: float = TIMEOUT,
        action_timeout: float = ACTION_TIMEOUT,
        *,
        admission: Admission | None = None,
        observer: OperationObserver | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._observer = observer or OperationObserver()
        self._admission = admission
        self._schema = schema
        self._context = context
        self._timeout = timeout
        self._action_timeout = action_timeout

    def kind(self, operation: Operation) -> OperationType | None:
        """What an operation does; None if its document cannot say."""
        return self._schema.kind(operation.query, operation.name)

    async def admit(self, operation: Operation, caller: Caller) -> Admitted:
        """What is to be executed. Raises `OperationRefusedError` if nothing is."""
        if self._admission is None:
            return Admitted(operation)
        found = await self._admission.document(operation, caller.viewer)
        return await self._admission.admit(found, caller.viewer)

    async def ask(
        self,
        admitted: Admitted,
        caller: Caller,
        request_id: str,
        tell: Tell,
    ) -> None:
        """Executes an operation, to its end.

        A subscription has no time limit; whoever asks ends it by cancelling. A bug is an answer,
        too, which is masked. Raises only what `tell` raises.
        """
        operation = admitted.operation
        context = self._context(request_id, caller)
        context.resume_after = operation.resume_after
        context.paid = admitted.paid
        deadline = Deadline(self._timeout, self._action_timeout)
        context.on_action = deadline.extend
        try:
            results = await self._schema.stream(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                operation_extensions=operation.extensions,
            )
            async with aclosing(results):
                if self.kind(operation) is OperationType.SUBSCRIPTION:
                    await self._follow(results, tell)
                else:
                    answer = await _in_time(results, deadline)
                    self._settle(answer, context, caller, operation)
                    await tell(answer)
        except GoneError:
            raise
        except GraphQLError as error:
            # Strawberry 0.341's `stream` lets out what reading a document raises.
            translate(error, request_id)
            await tell(Answer({"errors": [error.formatted]}, refused=True))
        except Exception as error:  # noqa: BLE001 - one stream must not end the others beside it
            await tell(_masked(error, request_id))

    def _settle(
        self, answer: Answer, context: Context, caller: Caller, operation: Operation
    ) -> None:
        """Gives back what was taken for more than an answer has, and tells who wants to know."""
        paid, data = context.paid, answer.body.get("data")
        if self._admission is None or paid is None:
            return
        objects: int | None = None
        if data is not None and not answer.errors:  # which make null what has been worked for
            encoded = orjson.dumps(data)
            answer.body["data"] = orjson.Fragment(encoded)
            # `data` itself is no object of the schema.
            objects = encoded.count(b"{") - 1
            self._admission.settle(caller.viewer, operation.address, paid, objects)
        cost = answer.body.get("extensions", {}).get(ASK)
        if cost is not None:
            cost |= told(paid, context.time(), objects)

    async def _follow(self, results: AsyncIterable[ExecutionResult], tell: Tell) -> None:
        """Tells each answer of a subscription, as long as there are some and somebody listens."""
        ended = "ok"
        try:
            async for result in results:
                answer = _answer(result)
                if answer.refused:
                    ended = "refused"
                trace = getattr(result, "trace", "")
                if trace and self._tracing.follows:
                    with self._tracing.span("deliver", Part.PRODUCER, parent=trace):
                        await tell(answer)
                else:
                    await tell(answer)
        except GoneError:
            raise
        except Exception:
            ended = "failed"
            raise
        finally:
            self._observer.answered("subscription", ended, None)


async def _in_time(results: Any, deadline: Deadline) -> Answer:
    try:
        with deadline:
            return _answer(await anext(results))
    except TimeoutError as error:
        return failed(str(error), code(504))


def _answer(result: ExecutionResult) -> Answer:
    if isinstance(result, Event) and result.whole is not None:
        return Answer({}, False, result.whole)
    refused = isinstance(result, PreExecutionError)
    body: dict[str, Any] = {} if refused else {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        body["extensions"] = result.extensions
    return Answer(body, refused)


def failed(message: str, error_code: str, **extensions: object) -> Answer:
    """The answer of an operation of which nothing came."""
    error = GraphQLError(message, extensions={"code": error_code, **extensions})
    return Answer({"errors": [error.formatted]}, refused=True)


def refused(error: OperationRefusedError) -> Answer:
    """The answer of an operation that is not executed."""
    return Answer({"errors": [{"message": error.detail, "extensions": error.extensions}]}, True)


def expired() -> Answer:
    """The last answer to somebody whose login has ended."""
    return failed("the login has ended: log in again, and resume with the last cursor", EXPIRED)


def _masked(error: Exception, request_id: str) -> Answer:
    _log.error("stream_failed", request_id=request_id, exc_info=error)
    return failed("Internal error", code(500), requestId=request_id)
