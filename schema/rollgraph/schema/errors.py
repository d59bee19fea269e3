"""Which of our errors a client sees, and under which code. All others are masked.

| code | meaning | what to do |
|---|---|---|
| `BAD_USER_INPUT` | an argument makes no sense | change the request |
| `GRAPHQL_PARSE_FAILED` | the document is not GraphQL | change the request |
| `GRAPHQL_VALIDATION_FAILED` | the document does not fit the schema | change the request |
| `INTERNAL_SERVER_ERROR` | a bug; `extensions.requestId` finds it in the log | report it |
"""

import logging
from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension

from rollgraph.core.errors import BadRequestError

logger = logging.getLogger(__name__)

# The nearest class of an error's MRO wins.
CODES: dict[type[BaseException], str] = {
    GraphQLSyntaxError: "GRAPHQL_PARSE_FAILED",
    BadRequestError: "BAD_USER_INPUT",
}
INTERNAL = "INTERNAL_SERVER_ERROR"


def translated(error: GraphQLError, request_id: str) -> GraphQLError:
    """The error as a client may see it: with a code, and without what it should not learn."""
    code = _code(error)
    if code == INTERNAL:
        logger.error(
            "a resolver failed", extra={"request_id": request_id}, exc_info=error.original_error
        )
        return _with(error, "Internal error", {"code": code, "requestId": request_id})
    return _with(error, error.message, {**(error.extensions or {}), "code": code})


def _code(error: GraphQLError) -> str:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return _spoken_by_graphql(error)
    return next((CODES[cls] for cls in type(cause).__mro__ if cls in CODES), INTERNAL)


def _spoken_by_graphql(error: GraphQLError) -> str:
    """The code of an error of graphql-core's own: of syntax, of validation, of a value's form."""
    if isinstance(error, GraphQLSyntaxError):
        return CODES[GraphQLSyntaxError]
    return "BAD_USER_INPUT" if error.path else "GRAPHQL_VALIDATION_FAILED"


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


class TranslateErrors(SchemaExtension):
    """Applies `translated` to every error of an answer."""

    def on_operation(self) -> Iterator[None]:
        """Runs around one operation."""
        yield
        result = self.execution_context.result
        errors = getattr(result, "errors", None)
        if errors:
            request_id = getattr(self.execution_context.context, "request_id", "")
            errors[:] = [translated(error, request_id) for error in errors]
