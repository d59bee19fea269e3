"""Where strawberry lets us see what becomes of operations."""

from collections.abc import Iterator
from time import perf_counter

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from rollgraph.ports import OperationObserver, Tracing

UNKNOWN = "unknown"


class Observing(SchemaExtension):
    """Tells who counts of one query or mutation, and has its execution followed.

    Args:
        observer: Who counts.
        tracing: Who follows.
    """

    def __init__(self, observer: OperationObserver, tracing: Tracing) -> None:
        super().__init__()
        self._observer = observer
        self._tracing = tracing

    def on_operation(self) -> Iterator[None]:
        """Around all of it."""
        begun, result = perf_counter(), "failed"
        try:
            yield
            result = _result(self.execution_context)
        except GraphQLError:  # of a document that could not be read
            result = "refused"
            raise
        finally:
            self._observer.answered(_type(self.execution_context), result, perf_counter() - begun)

    def on_execute(self) -> Iterator[None]:
        """Around what is done once it is known to be valid."""
        if not self._tracing.follows:
            yield
            return
        context = self.execution_context
        type_, name = _type(context), context.operation_name or ""
        said = {"graphql.operation.type": type_, "graphql.operation.name": name}
        with self._tracing.span(f"GraphQL {type_}", said=said):
            yield


def _type(context: ExecutionContext) -> str:
    if context.graphql_document is None:
        return UNKNOWN
    try:
        return context.operation_type.value
    except RuntimeError:  # there is no operation of this name
        return UNKNOWN


def _result(context: ExecutionContext) -> str:
    # Strawberry 0.341 notes the errors of execution as those of before, too.
    result = context.result
    errors = context.pre_execution_errors or (result.errors if result is not None else None)
    if not errors:
        return "ok"
    executed = result is not None and any(error.path for error in errors)
    return "errors" if executed else "refused"
