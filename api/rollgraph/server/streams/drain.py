"""The end of all streams when the process stops, one after the other.

Whoever loses a stream comes back at once, to another process. If all did at the same moment, that
one would be asked for all its fleet a thousand times in a second.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import anyio

# Seconds between two ends where there is time enough.
APART = 0.02


class Drain:
    """All streams of a process.

    Args:
        chance: Draws the order in which they end.
    """

    def __init__(self, chance: Random | None = None) -> None:
        self._chance = chance or Random()
        self._ends: dict[object, Callable[[], None]] = {}
        self.begun = False

    def __len__(self) -> int:
        """How many there are: WebSockets, and answers over HTTP."""
        return len(self._ends)

    @contextmanager
    def knows(self, end: Callable[[], None]) -> Iterator[None]:
        """Lets a stream be told when it has to end."""
        key = object()
        self._ends[key] = end
        try:
            yield
        finally:
            self._ends.pop(key, None)

    async def run(self, within: float) -> None:
        """Ends all, spread over some seconds at the most; new ones are to be refused from now on.

        Args:
            within: Seconds.
        """
        self.begun = True
        order = [*self._ends]
        self._chance.shuffle(order)
        apart = min(APART, within / len(order)) if order else 0
        for key in order:
            end = self._ends.get(key)
            if end is not None:
                end()
                await anyio.sleep(apart)
