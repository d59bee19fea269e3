"""How many operations may go on at a time, so that one viewer cannot take all there is."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rollgraph.core.viewer import Viewer

# Each has some 50 KiB of tasks and buffers, and may have 256 changes waiting: 500 MiB and more.
MOST = 10_000
# A portal may ask in one name for all of its people: a page of theirs has two or three.
PER_VIEWER = 1000
# The code of an operation for which there is no place.
TOO_MANY = "TOO_MANY_STREAMS"


class NoPlaceError(Exception):
    """As many go on already as may; the message says whose, and what to do."""


class Places:
    """The places of one process.

    Args:
        most: Operations of everybody together; and WebSockets, which come before those.
        per_viewer: Operations of one viewer.

    Attributes:
        most: The same.
    """

    def __init__(self, most: int = MOST, per_viewer: int = PER_VIEWER) -> None:
        self.most = most
        self._per_viewer = per_viewer
        self._taken: Counter[tuple[str, str]] = Counter()
        self._transports: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many operations go on."""
        return self._taken.total()

    def by_transport(self) -> Mapping[str, int]:
        """How many operations go on, by the way that they go."""
        return {**self._transports}

    @contextmanager
    def one(self, viewer: Viewer, transport: str) -> Iterator[None]:
        """A place for as long as it lasts. Raises `NoPlaceError`."""
        whose = (viewer.issuer, viewer.subject)
        if self._taken[whose] >= self._per_viewer:
            raise NoPlaceError(
                f"You have {self._per_viewer} streams here already: end some, or share one"
            )
        if self.taken >= self.most:
            raise NoPlaceError(
                f"This gateway has {self.most} streams already: try again, for another one"
            )
        self._taken[whose] += 1
        self._transports[transport] += 1
        try:
            yield
        finally:
            self._transports[transport] -= 1
            self._taken[whose] -= 1
            if not self._taken[whose]:
                del self._taken[whose]
