"""The messages and close codes of `graphql-transport-ws`, as graphql-ws's PROTOCOL.md has them."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import orjson

from rollgraph.server.operation import Operation

SUBPROTOCOL = "graphql-transport-ws"
# Bytes that a close frame has for its reason (RFC 6455, 5.5 and 7.1.5).
LONGEST_REASON = 123

ACK = b'{"type":"connection_ack"}'
PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'


class Code(IntEnum):
    """Why we close a connection.

    The npm client comes back after the first three and after 4403 and 4408, and gives up after
    the others and after 4500: so a stop and a trouble of ours must not be told as 4500.
    """

    GOING_AWAY = 1001
    RESTART = 1012
    TRY_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    TAKEN = 4409
    INIT_AGAIN = 4429


class Closing(NamedTuple):
    """How we close a connection."""

    code: Code
    reason: str

    @property
    def sent(self) -> str:
        """The reason as it fits."""
        return self.reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class BadMessageError(Exception):
    """A message that the protocol does not have; the text says what is wrong."""


class Message(NamedTuple):
    """What a client says."""

    type: str
    id: str = ""
    payload: Any = None

    def operation(self) -> Operation:
        """What a `subscribe` asks. Raises `BadMessageError`."""
        payload = self.payload
        if not isinstance(payload, Mapping):
            raise BadMessageError("subscribe: expected a payload with a query")
        variables = _object(payload, "variables")
        extensions = _object(payload, "extensions")
        name, document = _text(payload, "operationName"), _text(payload, "documentId")
        query = _text(payload, "query")
        if query is None and not document and "persistedQuery" not in (extensions or {}):
            raise BadMessageError("subscribe: expected a payload with a query")
        return Operation(query or "", variables, name or None, extensions, document=document or "")


# Those that have an id.
_OF_OPERATIONS = ("subscribe", "complete")
_OF_CONNECTIONS = ("connection_init", "ping", "pong")


def read(frame: Mapping[str, Any]) -> Message:
    """A message of ASGI as one of the protocol. Raises `BadMessageError`."""
    text = frame.get("text")
    if text is None:
        raise BadMessageError("expected text; got binary data")
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessageError("expected JSON") from error
    if not isinstance(said, dict):
        raise BadMessageError("expected a JSON object")
    kind, id_ = said.get("type"), said.get("id")
    if kind in _OF_CONNECTIONS:
        return Message(kind, payload=said.get("payload"))
    if kind not in _OF_OPERATIONS:
        raise BadMessageError(f"no message has the type {str(kind)[:40]!r}")
    if not isinstance(id_, str) or not id_:
        raise BadMessageError(f"{kind}: expected an id")
    return Message(kind, id_, said.get("payload"))


def opening(id_: str) -> bytes:
    """How all answers of an operation begin."""
    return b'{"type":"next","id":%b,"payload":' % orjson.dumps(id_)


def next_(opening: bytes, body: bytes) -> bytes:
    """An answer of an operation that may have more, given how all of its answers begin."""
    return b"%b%b}" % (opening, body)


def error(id_: str, errors: list[dict[str, Any]]) -> bytes:
    """The end of an operation that failed."""
    return orjson.dumps({"type": "error", "id": id_, "payload": errors})


def complete(id_: str) -> bytes:
    """The end of an operation."""
    return orjson.dumps({"type": "complete", "id": id_})


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    if not isinstance(value, str | None):
        raise BadMessageError(f"subscribe: expected {key} to be text, or none")
    return value


def _object(payload: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = payload.get(key)
    if not isinstance(value, Mapping | None):
        raise BadMessageError(f"subscribe: expected {key} to be an object, or none")
    return value
