"""Paging cursors: self-contained, opaque to callers, URL-safe.

A cursor names a place in an order, and the state of the mirror that the walk goes over:

    version (1 byte), number of the order's fields (1), one byte for each field and direction,
    the mirror's name (4), its sequence number (8), the key of the place (`core.ordering`)
"""

import base64
import binascii
from collections.abc import Callable
from typing import NamedTuple

from rollgraph.core.errors import BadCursorError
from rollgraph.core.ordering import canonical
from rollgraph.core.paging import Order, OrderField

_VERSION = 1
# A key holds three names of at most 253 characters, a few more bytes, and grows by a third.
MAX_CURSOR = 4096
# The numbers are part of every cursor that callers hold: never change them, only add.
_FIELDS = (
    OrderField.CLUSTER,
    OrderField.NAMESPACE,
    OrderField.NAME,
    OrderField.PHASE,
    OrderField.UPDATED_AT,
    OrderField.CREATED_AT,
    OrderField.PROGRESS,
)


class Pin(NamedTuple):
    """A state of a mirror: which mirror (a number that no other has), and its sequence number."""

    mirror: int
    sequence: int


class Cursor(NamedTuple):
    """A place in an order, and the state that the walk goes over."""

    pin: Pin
    key: bytes


def encoder(order: tuple[Order, ...], pin: Pin) -> Callable[[bytes], str]:
    """The function that makes the cursor of a key, for one order and pin."""
    head = _head(order) + pin.mirror.to_bytes(4) + pin.sequence.to_bytes(8)
    return lambda key: base64.urlsafe_b64encode(head + key).rstrip(b"=").decode()


def decode(text: str, order: tuple[Order, ...], argument: str) -> Cursor:
    """Reads a cursor.

    Args:
        text: The cursor.
        order: The order of the request.
        argument: Where the cursor was found, for the error: `after` or `before`.

    Raises `BadCursorError` if the text is no cursor, or one of another order.
    """
    raw = _raw(text, argument)
    fields = raw[1:2]
    end = 2 + (fields[0] if fields else 0)
    if raw[:1] != bytes((_VERSION,)) or len(raw) < end + 12 or not fields:
        raise _no_cursor(argument)
    if raw[:end] != _head(order):
        raise BadCursorError(
            f"`{argument}` is a cursor of another order, or of one cluster's list: ask as you did"
            f" when you got it, or start again without it"
        )
    pin = Pin(int.from_bytes(raw[end : end + 4]), int.from_bytes(raw[end + 4 : end + 12]))
    return Cursor(pin, raw[end + 12 :])


def _head(order: tuple[Order, ...]) -> bytes:
    parts = [_FIELDS.index(part.field) << 1 | part.descending for part in canonical(order)]
    return bytes((_VERSION, len(parts), *parts))


def _raw(text: str, argument: str) -> bytes:
    if len(text) > MAX_CURSOR:
        raise _no_cursor(argument)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _no_cursor(argument) from error


def _no_cursor(argument: str) -> BadCursorError:
    return BadCursorError(
        f"`{argument}` is not a cursor of this list: start again without it, and pass on cursors as"
        f" they are"
    )
