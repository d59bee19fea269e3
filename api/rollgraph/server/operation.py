"""What somebody asks, by whichever way it came."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection


class Operation(NamedTuple):
    """What is asked.

    Attributes:
        query: The document; "" if it is asked for by something else.
        resume_after: The cursor of the last event that came, of a stream that broke; "" if none.
        address: Where it is asked from; "" if that is not known.
        document: The id of a document, instead of `query`; "" if none.
    """

    query: str
    variables: Mapping[str, Any] | None = None
    name: str | None = None
    extensions: Mapping[str, Any] | None = None
    resume_after: str = ""
    address: str = ""
    document: str = ""


def address(connection: HTTPConnection) -> str:
    """Where somebody asks from; "" if that is not known, as over a UNIX socket."""
    return connection.client.host if connection.client is not None else ""
