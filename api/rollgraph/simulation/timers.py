"""Things to be done later, in order."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count


class Timers:
    """Calls at their times."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()

    def at(self, when: datetime, call: Callable[[datetime], None]) -> None:
        """Calls it with the time at that time, after what was set for the same time before."""
        heapq.heappush(self._heap, (when, next(self._order), call))

    @property
    def next(self) -> datetime | None:
        """When the next call is due; None without any."""
        return self._heap[0][0] if self._heap else None

    def fire(self, now: datetime) -> bool:
        """Makes the calls that are due; False if there were none."""
        fired = False
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2](now)
            fired = True
        return fired
