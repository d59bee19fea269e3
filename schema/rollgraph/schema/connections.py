"""Lists in pages, as Relay asks for: edges with cursors, and GitHub's short cut `nodes`.

A cursor names the place of an object in its order, not a number of rows: pages neither skip nor
repeat what is there all the while. Rollouts have their own connection (`types.fleet`), backed by
the mirror's indexes.
"""

import base64
import binascii
import operator
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
import strawberry

from rollgraph.core.errors import BadCursorError, BadRequestError

T = TypeVar("T")
S = TypeVar("S")
# A place in an order: compared part by part.
Key = tuple[str | int, ...]

# The arguments of every connection, described once.
First = Annotated[
    int | None, strawberry.argument(description="At most so many, from the start or after `after`.")
]
After = Annotated[str | None, strawberry.argument(description="Only what follows this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description="At most so many, from the end or before `before`.")
]
FILTER = strawberry.argument(description="Only those for which this holds.")
ORDER = strawberry.argument(description="Which comes first; the first key counts most.")
Before = Annotated[str | None, strawberry.argument(description="Only what precedes this cursor.")]

DEFAULT_PAGE = 50
# Resolving a row costs far more than finding it: a page of 200 rows with 14 fields is about 10 ms
# of one core.
MAX_PAGE = 200


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether more follows after `endCursor`.")
    has_previous_page: bool = strawberry.field(
        description="Whether more comes before `startCursor`."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


@strawberry.type(description="An object with its place in the list.")
class Edge(Generic[T]):
    """An object with its place in the list."""

    cursor: str = strawberry.field(description="The place, to go on from with `after` or `before`.")
    node: T = strawberry.field(description="The object.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The objects with their cursors.")
    nodes: list[T] = strawberry.field(description="The objects alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int = strawberry.field(description="How many objects all pages hold.")


class Window(msgspec.Struct, frozen=True):
    """The part of a list that a caller asks for, checked."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


def window(
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Window:
    """Checks the four arguments of a connection; `BadRequestError` if they make no sense.

    Without `first` and `last` a page has `DEFAULT_PAGE` rows.
    """
    if first is not None and last is not None:
        raise BadRequestError("pass `first` or `last`, not both")
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= MAX_PAGE:
            raise BadRequestError(f"`{name}` must be between 0 and {MAX_PAGE}, got {value}")
    if last is None and first is None:
        first = DEFAULT_PAGE
    return Window(first, after, last, before)


def connect(
    items: Sequence[S],
    key: Callable[[S], Key],
    wrap: Callable[[S], T],
    part: Window,
    *,
    descending: bool = False,
) -> Connection[T]:
    """A page of a short list that is at hand as a whole.

    Args:
        items: The whole list, in any order.
        key: The place of an item; unique, and the same for the life of the object.
        wrap: Makes the GraphQL object of an item; called for the page's items only.
        part: Which part is asked for.
        descending: Whether the largest place comes first.
    """
    placed = sorted(((key(item), item) for item in items), key=_place, reverse=descending)
    start, end = _bounds([place for place, _ in placed], part, descending)
    if part.first is not None:
        chosen = placed[start:end][: part.first]
        shown = (start, start + len(chosen))
    else:
        shown = (max(end - (part.last or 0), start), end)
        chosen = placed[shown[0] : shown[1]]
    edges = [Edge(cursor=_cursor(place), node=wrap(item)) for place, item in chosen]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info(
            [edge.cursor for edge in edges],
            has_next=shown[1] < len(placed),
            has_previous=shown[0] > 0,
        ),
        total_count=len(placed),
    )


def page_info(cursors: Sequence[str], *, has_next: bool, has_previous: bool) -> PageInfo:
    """Where a page with these cursors lies."""
    return PageInfo(
        has_next_page=has_next,
        has_previous_page=has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def _place(pair: tuple[Key, S]) -> Key:
    return pair[0]


def _bounds(places: list[Key], part: Window, descending: bool) -> tuple[int, int]:
    """The slice of the list that lies between the two cursors, where there are any."""
    before = operator.gt if descending else operator.lt
    try:
        start = 0
        if part.after is not None:
            after = _read_cursor(part.after)
            start = sum(place == after or before(place, after) for place in places)
        end = len(places)
        if part.before is not None:
            stop = _read_cursor(part.before)
            end = max(sum(before(place, stop) for place in places), start)
    except TypeError as error:
        raise BadCursorError(
            "this cursor belongs to another list: start again without it"
        ) from error
    return start, end


def _cursor(place: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read_cursor(cursor: str) -> Key:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=Key)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise BadCursorError(
            f"{cursor!r} is not a cursor of this list: start again without it"
        ) from error
