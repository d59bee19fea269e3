"""How late the event loop is: whatever keeps it busy keeps everybody waiting."""

import time
from collections.abc import Callable

import anyio

# Seconds between two looks.
EVERY = 0.25
# Seconds for which the worst is remembered: a probe of Kubernetes comes every 10.
REMEMBERED = 10.0


class LoopLag:
    """Measures by how much the loop wakes a task too late, as long as `run` runs.

    Args:
        told: Told of each measurement, in seconds.
        clock: Seconds that go on while the loop does not; not the loop's own, which uvloop stops
            for as long as it is busy.

    Attributes:
        turns: How often the loop has turned to it.
    """

    def __init__(
        self,
        told: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.turns = 0
        self._told = told
        self._clock = clock
        self._turned_at = clock()
        self._worst = 0.0
        self._worst_at = self._turned_at

    async def run(self) -> None:
        """Measures until cancelled."""
        self._turned_at = self._clock()
        while True:
            await anyio.sleep(EVERY)
            self._note(self._overdue())
            self._turned_at = self._clock()
            self.turns += 1

    @property
    def worst(self) -> float:
        """Seconds that it was late at worst, lately or right now.

        Whoever asks is answered by the same loop: it may be asked before the measurement that has
        been due for long.
        """
        forgotten = self._clock() - self._worst_at > REMEMBERED
        return max(self._overdue(), 0.0 if forgotten else self._worst)

    def _overdue(self) -> float:
        return max(0.0, self._clock() - self._turned_at - EVERY)

    def _note(self, late: float) -> None:
        self._told(late)
        if late >= self.worst:
            self._worst, self._worst_at = late, self._clock()
