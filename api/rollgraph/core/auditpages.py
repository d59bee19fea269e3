"""Pages of the audit, newest first.

A cursor is a row's id: it keeps its place for ever, also when the row itself has been forgotten.
"""

import uuid
from collections.abc import Iterable

import msgspec

from rollgraph.core.audit import AuditFilter, AuditRow, predicate
from rollgraph.core.errors import BadCursorError, BadRequestError


class AuditRequest(msgspec.Struct, frozen=True):
    """Which rows, and which part of them.

    Attributes:
        filter: None for all rows.
        first: The first so many. Without `first` and `last` the page has no end.
        last: The last so many. Not to be mixed with `first`.
        after, before: Cursors; only what is older, or newer.
    """

    filter: AuditFilter | None = None
    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


class AuditPage(msgspec.Struct, frozen=True):
    """Part of the rows that match.

    Attributes:
        rows: Newest first; the cursor of each is its id.
        has_next: Whether an older one follows.
        has_previous: Whether a newer one precedes.
        total: How many match, on all pages.
        forgotten: How many rows there have been that are no longer kept, whatever the filter.
        partial: Whether rows may be missing because whoever keeps them does not answer.
    """

    rows: tuple[AuditRow, ...]
    has_next: bool
    has_previous: bool
    total: int
    forgotten: int
    partial: bool = False


def page(
    rows: Iterable[AuditRow], request: AuditRequest, *, forgotten: int = 0, partial: bool = False
) -> AuditPage:
    """A page of rows that come newest first.

    Raises `BadCursorError` for what is no cursor, `BadFilterError` for a filter and
    `BadRequestError` for a size that makes no sense.
    """
    _check_sizes(request)
    after, before = _cursor(request.after, "after"), _cursor(request.before, "before")
    matches = predicate(request.filter)
    matching = [row for row in rows if matches(row)]
    start = sum(row.id >= after for row in matching) if after else 0
    end = sum(row.id > before for row in matching) if before else len(matching)
    start, end = _cut(start, max(start, end), request)
    return AuditPage(
        rows=tuple(matching[start:end]),
        has_next=end < len(matching),
        has_previous=start > 0,
        total=len(matching),
        forgotten=forgotten,
        partial=partial,
    )


def _cut(start: int, end: int, request: AuditRequest) -> tuple[int, int]:
    if request.first is not None:
        return start, min(end, start + request.first)
    if request.last is not None:
        return max(start, end - request.last), end
    return start, end


def _cursor(text: str | None, argument: str) -> str | None:
    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise BadCursorError(
            f"`{argument}` is not a cursor of this list: start again without it, and pass on"
            f" cursors as they are"
        ) from None


def _check_sizes(request: AuditRequest) -> None:
    if request.first is not None and request.last is not None:
        raise BadRequestError("pass `first` or `last`, not both")
    for name, size in (("first", request.first), ("last", request.last)):
        if size is not None and size < 0:
            raise BadRequestError(f"`{name}` must not be negative, got {size}")
