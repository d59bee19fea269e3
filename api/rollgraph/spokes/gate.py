"""Bounds how many full lists arrive at the same time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

# Each list in flight holds its undecoded page in memory (a spoke of 10,000 rollouts: 120 MB), and
# all are decoded by one core. gitops-engine allows 50 for its many kinds.
SYNCS_AT_ONCE = 16
# A spoke that accepts a list and never answers holds its place until its time-out. The others must
# not wait for that: the gate smooths a start, it is not a lock.
PATIENCE = 10.0


class Gate:
    """Lets so many through at once, and anyone who has waited long enough.

    Args:
        places: How many full lists may be on their way.
        patience: Seconds after which one more goes ahead without a place.
    """

    def __init__(self, places: int = SYNCS_AT_ONCE, patience: float = PATIENCE) -> None:
        self._places = anyio.Semaphore(places)
        self._patience = patience

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """Waits for a place, and gives it back when left, if it was not before."""
        place = Place(self._places)
        await place.take(self._patience)
        try:
            yield place
        finally:
            place.give_back()


class Place:
    """One place in the gate."""

    def __init__(self, places: anyio.Semaphore) -> None:
        self._places = places
        self._held = False

    async def take(self, patience: float) -> None:
        """Waits for the place, at most `patience` seconds."""
        with anyio.move_on_after(patience):
            await self._places.acquire()
            self._held = True

    def give_back(self) -> None:
        """Lets the next one in; nothing happens the second time."""
        if self._held:
            self._held = False
            self._places.release()
