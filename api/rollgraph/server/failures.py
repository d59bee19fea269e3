"""Answers to requests that fail, in one shape.

It is GraphQL's own, on every path: whatever speaks to Rollgraph can show `errors[].message`.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rollgraph.server.requestid import request_id

# Not `http.HTTPStatus.name`: Python 3.13 calls some by other names than 3.11.
_CODES = {
    400: "BAD_REQUEST",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "CONTENT_TOO_LARGE",
    500: "INTERNAL_SERVER_ERROR",
}


def failure(
    request: Request[Any], status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request that fails with an HTTP status."""
    extensions = {"code": code(status), "requestId": request_id(request.scope)}
    return Response(
        orjson.dumps({"errors": [{"message": message, "extensions": extensions}]}),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )


def code(status: int) -> str:
    """`extensions.code` of an HTTP status."""
    return _CODES.get(status, f"HTTP_{status}")


async def on_http_error(request: Request[Any], error: Exception) -> Response:
    """Starlette's handler of an `HTTPException`."""
    assert isinstance(error, HTTPException)
    return failure(request, error.status_code, error.detail, error.headers)
