"""How answers go over HTTP while there are more to come."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import orjson

from rollgraph.server.streams.asking import Answer

# A proxy that waits for more before it passes something on would wait for ever.
_UNBUFFERED = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class Encoding(ABC):
    """One of the ways.

    Attributes:
        transport: What it is called where streams are counted.
        headers: Of the response.
        opening: What is sent at once, so that the client knows that it is connected.
        beat: What is sent where nothing happens.
        most_between: Seconds between two of those at the most, whatever the setting says.
        completed: What says that there is no more, and there was nothing wrong.
        broken: What is sent at the end of a stream that was not completed.
    """

    transport: ClassVar[str]
    headers: ClassVar[Mapping[str, str]]
    opening: ClassVar[bytes]
    beat: ClassVar[bytes]
    most_between: ClassVar[float]
    completed: ClassVar[bytes]
    broken: ClassVar[bytes] = b""

    @abstractmethod
    def next(self, answer: Answer) -> bytes:
        """One answer."""


class EventStream(Encoding):
    """Server-sent events as graphql-sse's protocol has them, in its distinct connections mode.

    A stream that breaks ends without `complete`: so clients come back, browsers' EventSource with
    the id of the last event that they got.
    """

    transport: ClassVar = "sse"
    headers: ClassVar = {"Content-Type": "text/event-stream; charset=utf-8", **_UNBUFFERED}
    opening: ClassVar = b":\n\n"
    beat: ClassVar = b":\n\n"
    most_between: ClassVar = 3600.0
    # An event without data is none to browsers.
    completed: ClassVar = b"event: complete\ndata: \n\n"

    def next(self, answer: Answer) -> bytes:
        """One answer, with its cursor as its id if it was asked for."""
        body = answer.json()
        cursor = _cursor(body)
        id_ = b"id: %b\n" % cursor.encode() if cursor else b""
        return b"event: next\n%bdata: %b\n\n" % (id_, body)


# With the boundary behind it, as Apollo Router sends it: readers take a part for whole only then,
# and would have to wait for the next one.
_PART = b"\r\nContent-Type: application/json\r\n\r\n%b\r\n--graphql"


class Multipart(Encoding):
    """Apollo's protocol of subscriptions, which Apollo's clients and routers speak."""

    transport: ClassVar = "multipart"
    headers: ClassVar = {
        # Without quotes around 1.0, as Apollo Router has it: Apollo iOS looks for these letters.
        "Content-Type": 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
        **_UNBUFFERED,
    }
    beat: ClassVar = _PART % b"{}"
    opening: ClassVar = b"\r\n--graphql" + beat
    # As the protocol asks.
    most_between: ClassVar = 5.0
    completed: ClassVar = b"--\r\n"
    broken: ClassVar = (
        _PART % b'{"payload":null,"errors":[{"message":"The gateway restarts: subscribe again",'
        b'"extensions":{"code":"UNAVAILABLE"}}]}' + completed
    )

    def next(self, answer: Answer) -> bytes:
        """One answer."""
        return _PART % (b'{"payload":%b}' % answer.json())


def _cursor(body: bytes) -> str:
    """The cursor of an event, if its field `cursor` was asked for; "" if not."""
    if b'"cursor":' not in body:
        return ""
    data = orjson.loads(body).get("data")
    event = next(iter(data.values()), None) if isinstance(data, dict) else None
    cursor = event.get("cursor") if isinstance(event, dict) else None
    # What browsers would not send back as it is.
    return cursor if isinstance(cursor, str) and cursor.isascii() and cursor.isprintable() else ""
