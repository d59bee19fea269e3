"""The token that a request brings, as RFC 6750 has it: in `Authorization`, never in the URL."""

from collections.abc import Mapping

from rollgraph.core.errors import UnauthenticatedViewerError

_FORM = "expected `Authorization: Bearer TOKEN`"


def of_header(values: list[str]) -> str | None:
    """The token of a request's `Authorization` headers; None if there is none.

    Raises `UnauthenticatedViewerError` for what is no bearer's.
    """
    if not values:
        return None
    if len(values) > 1:
        raise UnauthenticatedViewerError("there are several Authorization headers; send one")
    scheme, _, token = values[0].partition(" ")
    token = token.strip()
    # One word of what RFC 6750 allows: nothing of it is ever repeated.
    if scheme.lower() != "bearer" or not token or not token.isascii() or " " in token:
        raise UnauthenticatedViewerError(f"Authorization is not understood: {_FORM}")
    return token


def of_init(payload: object) -> str | None:
    """The token of a WebSocket's `connection_init`; None if there is none.

    A browser's script cannot set headers on a WebSocket, so graphql-ws clients send them as a JSON
    object with the first message. Raises `UnauthenticatedViewerError`.
    """
    if payload is None:
        return None
    if not isinstance(payload, Mapping):
        raise UnauthenticatedViewerError("the payload of connection_init is no JSON object")
    values = [
        value
        for name, value in payload.items()
        if isinstance(name, str) and name.lower() == "authorization"
    ]
    if not all(isinstance(value, str) for value in values):
        raise UnauthenticatedViewerError(f"Authorization is no text: {_FORM}")
    return of_header(values)
