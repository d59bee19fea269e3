"""One page of a walk over an index."""

from collections.abc import Iterator

import msgspec

from rollgraph.adapters.memory.index import Index
from rollgraph.core.filtering import Predicate
from rollgraph.core.view import RolloutView

_Found = tuple[bytes, RolloutView]


class Span(msgspec.Struct, frozen=True, gc=False):
    """Positions of an index: from `start` (inclusive) to `stop` (exclusive)."""

    start: int
    stop: int


class Stretch(msgspec.Struct, frozen=True):
    """The part of an index that a page shows, with each rollout's key, in the index's order."""

    found: list[_Found]
    has_next: bool
    has_previous: bool


class Walk(msgspec.Struct, frozen=True):
    """An index as it was at a pin, with the rollouts as they are now.

    Attributes:
        whole: Where all rollouts lie that can pass the test.
    """

    index: Index
    pin: int
    test: Predicate
    whole: Span

    def forward(self, part: Span, size: int | None) -> Stretch:
        """The first rollouts of a part; all of them without a size."""
        found, more = _taken(self._found(range(part.start, part.stop)), size)
        return Stretch(
            found,
            has_next=more or self._any(range(part.stop, self.whole.stop)),
            has_previous=self._any(range(part.start - 1, self.whole.start - 1, -1)),
        )

    def backward(self, part: Span, size: int) -> Stretch:
        """The last rollouts of a part."""
        found, more = _taken(self._found(range(part.stop - 1, part.start - 1, -1)), size)
        found.reverse()
        return Stretch(
            found,
            has_next=self._any(range(part.stop, self.whole.stop)),
            has_previous=more or self._any(range(part.start - 1, self.whole.start - 1, -1)),
        )

    def _any(self, positions: range) -> bool:
        return next(self._found(positions), None) is not None

    def _found(self, positions: range) -> Iterator[_Found]:
        entries, pin, test = self.index.entries, self.pin, self.test
        for position in positions:
            entry = entries[position]
            if entry.born <= pin < entry.died:
                view = entry.row.view
                if view is not None and test(view):
                    yield entry.key, view


def _taken(found: Iterator[_Found], size: int | None) -> tuple[list[_Found], bool]:
    """The first so many, and whether there are more."""
    if size is None:
        return list(found), False
    taken: list[_Found] = []
    for each in found:
        if len(taken) == size:
            return taken, True
        taken.append(each)
    return taken, False
