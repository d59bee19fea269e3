"""A cursor comes back as it was made, and only for its own order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.cursors import Cursor, Pin, decode, encoder
from rollgraph.core.errors import BadCursorError
from rollgraph.core.ordering import canonical
from rollgraph.core.paging import Order, OrderField

ORDERS = st.lists(st.builds(Order, st.sampled_from(OrderField), st.booleans()), max_size=4).map(
    canonical
)
PINS = st.builds(Pin, st.integers(0, 2**32 - 1), st.integers(0, 2**63))


@given(order=ORDERS, pin=PINS, key=st.binary(max_size=60))
def test_a_cursor_comes_back_as_it_was_made(order: tuple[Order, ...], pin: Pin, key: bytes) -> None:
    text = encoder(order, pin)(key)
    assert text.isascii()
    assert not set(text) & set("+/=")
    assert decode(text, order, "after") == Cursor(pin, key)


@given(order=ORDERS, other=ORDERS, pin=PINS)
def test_a_cursor_is_of_one_order(
    order: tuple[Order, ...], other: tuple[Order, ...], pin: Pin
) -> None:
    text = encoder(order, pin)(b"key")
    if order == other:
        assert decode(text, other, "after").key == b"key"
    else:
        with pytest.raises(BadCursorError, match="of another order, or of one cluster's list"):
            decode(text, other, "after")


@given(text=st.one_of(st.text(max_size=30), st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\Z")))
def test_any_other_text_is_refused_with_advice(text: str) -> None:
    try:
        decode(text, canonical(()), "before")
    except BadCursorError as error:
        assert "start again without it" in str(error)  # noqa: PT017
