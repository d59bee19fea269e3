"""What a reader gets for an event."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.types import ExecutionResult

# In place of a cursor while an answer is made for many, of whom each gets their own. Nobody can
# guess it, so that it is nowhere else in an answer.
PLACE = secrets.token_hex(16)


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
    _last: "Answer | None" = field(default=None, repr=False, compare=False)

    def at(self, cursor: str) -> "Answer":
        """The same for a reader who is at a place of their own."""
        if self.cursor == cursor:
            return self
        if self._last is not None and self._last.cursor == cursor:
            return self._last  # many are at the same place
        found, theirs = self.cursor.encode(), cursor.encode()
        encoded = self.json.replace(found, theirs) if found else self.json
        self._last = _encoded(encoded, self.errors, cursor, self.trace)
        return self._last


def answer(data: Any, errors: list[GraphQLError] | None, cursor: str, trace: str = "") -> Answer:
    """Encodes data, once for all who get them."""
    return _encoded(orjson.dumps(data), errors, cursor, trace)


def _encoded(encoded: bytes, errors: list[GraphQLError] | None, cursor: str, trace: str) -> Answer:
    piece: Any = None if encoded == b"null" else orjson.Fragment(encoded)
    whole = None if errors else b'{"data":%b}' % encoded
    return Answer(data=piece, errors=errors, json=encoded, whole=whole, cursor=cursor, trace=trace)
