"""Pages of short lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.errors import BadCursorError, BadRequestError
from rollgraph.schema.connections import MAX_PAGE, Connection, Window, connect, window


def page(items: list[int], part: Window, *, descending: bool = False) -> Connection[int]:
    return connect(items, lambda item: (item,), lambda item: item, part, descending=descending)


def test_without_arguments_a_page_starts_at_the_start() -> None:
    found = page(list(range(60)), window())
    assert found.nodes == list(range(50))
    assert (found.page_info.has_previous_page, found.page_info.has_next_page) == (False, True)
    assert found.total_count == 60


def test_an_empty_list_has_no_cursors() -> None:
    info = page([], window()).page_info
    assert (info.start_cursor, info.end_cursor, info.has_next_page) == (None, None, False)


@given(
    items=st.sets(st.integers(0, 99), max_size=40),
    size=st.integers(1, 7),
    descending=st.booleans(),
    backwards=st.booleans(),
)
def test_a_walk_visits_each_item_once_in_order(
    items: set[int], size: int, descending: bool, backwards: bool
) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        part = window(last=size, before=cursor) if backwards else window(size, cursor)
        found = page(list(items), part, descending=descending)
        seen = found.nodes + seen if backwards else seen + found.nodes
        info = found.page_info
        cursor = info.start_cursor if backwards else info.end_cursor
        if not (info.has_previous_page if backwards else info.has_next_page):
            break
    assert seen == sorted(items, reverse=descending)


def test_a_walk_goes_on_when_the_item_of_its_cursor_is_gone() -> None:
    cursor = page([1, 2, 3, 4], window(2)).page_info.end_cursor
    assert page([1, 3, 4], window(2, cursor)).nodes == [3, 4]


def test_both_cursors_bound_a_page() -> None:
    cursors = [edge.cursor for edge in page([1, 2, 3, 4, 5], window()).edges]
    found = page([1, 2, 3, 4, 5], window(after=cursors[0], before=cursors[4]))
    assert found.nodes == [2, 3, 4]
    assert (found.page_info.has_previous_page, found.page_info.has_next_page) == (True, True)


def test_a_page_of_no_rows_is_empty() -> None:
    assert page([1, 2], window(first=0)).nodes == []
    assert page([1, 2], window(last=0)).nodes == []


@pytest.mark.parametrize("cursor", ["", "garbage!", "bnVsbA", "WyJhIl0"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursorError, match="start again without it"):
        page([1, 2], window(after=cursor))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(1, 1, "not both"), (-1, None, "`first` must be between"), (None, MAX_PAGE + 1, "`last`")],
)
def test_arguments_that_make_no_sense_are_refused(
    first: int | None, last: int | None, said: str
) -> None:
    with pytest.raises(BadRequestError, match=said):
        window(first=first, last=last)
