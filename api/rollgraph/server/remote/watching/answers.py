"""What a server answers, or what is wrong with it."""

from typing import Any

from rollgraph.core.errors import BadRequestError, RemoteError, UnauthenticatedViewerError

# What may be otherwise in a moment; a login that has ended may have been renewed.
_TRY_AGAIN = frozenset(
    {
        "INTERNAL_SERVER_ERROR",
        "OPERATION_TIMED_OUT",
        "TOKEN_EXPIRED",
        "TOO_MANY_REQUESTS",
        "TOO_MANY_STREAMS",
        "UNAVAILABLE",
    }
)


class ForbiddenStreamError(RemoteError):
    """The caller may not have what they ask for, however often they ask."""


def data(answer: dict[str, Any]) -> dict[str, Any]:
    """What was asked for.

    Raises `UnauthenticatedViewerError` if the login is none, `ForbiddenStreamError`,
    `BadRequestError` if the server takes the question for nonsense, and `RemoteError` for what may
    be otherwise in a moment.
    """
    told = answer.get("data")
    if isinstance(told, dict) and all(value is not None for value in told.values()):
        return told
    errors = answer.get("errors") or [{}]
    first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
    message = str(first.get("message") or "the server answered without data")
    code = (first.get("extensions") or {}).get("code", "")
    if code == "UNAUTHENTICATED":
        raise UnauthenticatedViewerError(message)
    if code == "FORBIDDEN":
        raise ForbiddenStreamError(message)
    if code in _TRY_AGAIN or not first:
        raise RemoteError(message)
    raise BadRequestError(f"the server does not take the question: {message}")
