"""What becomes of operations, told to who counts and to who follows.

Not one of strawberry's extensions: those take 50 us of each operation, a third of a small one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TypeAlias

from graphql import GraphQLError, OperationDefinitionNode

from rollgraph.ports import OperationObserver, Tracing

# Of an operation's name, which may be as long as a document: thousands of spans may wait at a time.
LONGEST_NAME = 100

Tell: TypeAlias = Callable[[object], None]


class Observing:
    """Observes operations.

    Args:
        observer: Who counts.
        tracing: Who follows.
    """

    def __init__(
        self, observer: OperationObserver | None = None, tracing: Tracing | None = None
    ) -> None:
        self._observer = observer or OperationObserver()
        self._tracing = tracing or Tracing()

    @contextmanager
    def one(self, operation: OperationDefinitionNode | None) -> Iterator[Tell]:
        """One query or mutation, None if it cannot be read; gives what to tell its result to."""
        begun, result = perf_counter(), "failed"
        type_ = "unknown" if operation is None else operation.operation.value
        name = operation.name.value if operation is not None and operation.name else ""

        def tell(found: object) -> None:
            nonlocal result
            result = _said(getattr(found, "errors", None))

        said = {"graphql.operation.type": type_, "graphql.operation.name": name[:LONGEST_NAME]}
        try:
            with self._tracing.span(f"GraphQL {type_}", said=said):
                yield tell
        except GraphQLError:  # of a document that could not be read
            result = "refused"
            raise
        finally:
            self._observer.answered(type_, result, perf_counter() - begun)


def _said(errors: Sequence[GraphQLError] | None) -> str:
    if not errors:
        return "ok"
    return "errors" if any(error.path for error in errors) else "refused"
