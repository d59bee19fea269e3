"""What a reader gets for an event."""

from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.types import ExecutionResult


@dataclass
class Answer(ExecutionResult):
    """The answer to one event, encoded already.

    Attributes:
        data: The data as a piece of JSON that `orjson` puts in its place as it is; None without.
        json: The same as bytes; `null` without data.
        whole: All of the answer as bytes; None if there are errors, which are one reader's own.
        cursor: Where the reader is then; "" if they cannot come back there.
        trace: Which trace the event is part of; "" if none.
    """

    json: bytes = b"null"
    whole: bytes | None = None
    cursor: str = ""
    trace: str = ""


def answer(data: Any, errors: list[GraphQLError] | None, cursor: str, trace: str = "") -> Answer:
    """Encodes data, once for all who get them."""
    encoded = orjson.dumps(data)
    piece: Any = None if data is None else orjson.Fragment(encoded)
    whole = None if errors else b'{"data":%b}' % encoded
    return Answer(data=piece, errors=errors, json=encoded, whole=whole, cursor=cursor, trace=trace)
