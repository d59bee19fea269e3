"""Which of our errors a client sees, and under which code. All others are masked.

| code | meaning | what to do |
|---|---|---|
| `BAD_USER_INPUT` | an argument makes no sense | change the request |
| `FORBIDDEN` | the viewer may not | ask for a token or a right; `extensions` say which |
| `GRAPHQL_PARSE_FAILED` | the document is not GraphQL | change the request |
| `GRAPHQL_VALIDATION_FAILED` | the document does not fit the schema | change the request |
| `UNAUTHENTICATED` | the login has ended | log in again |
| `TOKEN_EXPIRED` | the login has ended while a stream lasted | subscribe again with a fresh one |
| `INTERNAL_SERVER_ERROR` | a bug; `extensions.requestId` finds it in the log | report it |

The codes of limits are in `limits.bounds`; docs/reference/errors.md has all of them.
Only masked errors carry the request's id: an error of validation is kept with its document, and
would tell the id of whoever asked first.
"""

from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from rollgraph.core.errors import (
    BadRequestError,
    NotAllowedError,
    TokenExpiredError,
    UnauthenticatedViewerError,
)

_log = structlog.get_logger(__name__)

# The nearest class of an error's MRO wins.
CODES: dict[type[BaseException], str] = {
    GraphQLSyntaxError: "GRAPHQL_PARSE_FAILED",
    BadRequestError: "BAD_USER_INPUT",
    NotAllowedError: "FORBIDDEN",
    UnauthenticatedViewerError: "UNAUTHENTICATED",
    TokenExpiredError: "TOKEN_EXPIRED",
}
INTERNAL = "INTERNAL_SERVER_ERROR"


def translate(error: GraphQLError, request_id: str) -> None:
    """Makes an error fit for a client: with a code, and without what it should not learn.

    It changes the error itself, for that is what strawberry sends; doing it twice does no harm.
    """
    extensions = dict(error.extensions or {})
    if "code" in extensions:
        return
    extensions["code"] = code = _code(error)
    if code == INTERNAL:
        _log.error("resolver_failed", request_id=request_id, exc_info=error.original_error)
        error.message = "Internal error"
        extensions = {"code": code, "requestId": request_id}
    elif isinstance(error.original_error, NotAllowedError):
        extensions |= _refusal(error.original_error)
    error.extensions = extensions


def _code(error: GraphQLError) -> str:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return _spoken_by_graphql(error)
    return next((CODES[cls] for cls in type(cause).__mro__ if cls in CODES), INTERNAL)


def _refusal(error: NotAllowedError) -> dict[str, Any]:
    """What a program may want to know of a refusal: to ask for another token, say."""
    decision = error.decision
    return {
        "action": error.action,
        "layer": decision.refused_by,
        "missingScopes": list(decision.missing_scopes),
    }


def _spoken_by_graphql(error: GraphQLError) -> str:
    """The code of an error of graphql-core's own: of syntax, of validation, of a value's form."""
    if isinstance(error, GraphQLSyntaxError):
        return CODES[GraphQLSyntaxError]
    return "BAD_USER_INPUT" if error.path else "GRAPHQL_VALIDATION_FAILED"
