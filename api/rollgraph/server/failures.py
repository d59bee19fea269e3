"""Answers to requests that fail, in one shape.

It is GraphQL's own, on every path: whatever speaks to Rollgraph can show `errors[].message`.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from rollgraph.server.negotiation import GRAPHQL, JSON, answer_type
from rollgraph.server.requestid import request_id

# Not `http.HTTPStatus.name`: Python 3.13 calls some by other names than 3.11.
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
    503: "UNAVAILABLE",
    504: "OPERATION_TIMED_OUT",
}


class OperationRefusedError(HTTPException):
    """An operation is not executed, for a reason that a program can act on.

    Over a stream it is an answer like others; by HTTP it has a status.

    Args:
        status: The status; 400 stands for 200 where `application/json` is answered, which says
            nothing by its status.
        message: For a person.
        code: `extensions.code`.
        headers: Headers of the answer.
        extensions: What else a program may want to know.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(status, message, headers)
        self.extensions = {"code": code, **extensions}


def failure(
    request: HTTPConnection,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    said: Mapping[str, object] | None = None,
) -> Response:
    """The answer to a request that fails with an HTTP status.

    Args:
        said: What `extensions` say; by default the status's code.
    """
    media_type = answer_type(request.headers.get("accept", "")) or JSON
    extensions = {"code": code(status), **(said or {}), "requestId": request_id(request.scope)}
    return Response(
        orjson.dumps({"errors": [{"message": message, "extensions": extensions}]}),
        status_code=status,
        headers=headers,
        media_type=f"{media_type}; charset=utf-8",
    )


def code(status: int) -> str:
    """`extensions.code` of an HTTP status."""
    return CODES.get(status, f"HTTP_{status}")


async def on_http_error(request: Request[Any], error: Exception) -> Response:
    """Starlette's handler of an `HTTPException`."""
    assert isinstance(error, HTTPException)
    status, said = error.status_code, None
    if isinstance(error, OperationRefusedError):
        said = error.extensions
        if status == 400 and answer_type(request.headers.get("accept", "")) != GRAPHQL:
            status = 200
    return failure(request, status, error.detail, error.headers, said)
