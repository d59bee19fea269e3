"""How long acting goes on trying, and how it waits between tries."""

from collections.abc import Awaitable
from random import Random
from typing import TypeVar

import anyio

# Seconds. The first is about what the controller takes for its next write.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

_T = TypeVar("_T")


class Pace:
    """The time of one action.

    Args:
        seconds: How long it may take in all.
        rng: Chance, so that two who collided do not collide again.
    """

    def __init__(self, seconds: float, rng: Random) -> None:
        self._end = anyio.current_time() + seconds
        self._rng = rng
        self._pause = FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds that are left, not less than 0."""
        return max(0.0, self._end - anyio.current_time())

    async def within(self, call: Awaitable[_T], share: float = 1.0) -> _T:
        """What a call gives; `TimeoutError` once a share of the time that is left has passed."""
        with anyio.fail_after(self.left * share):
            return await call

    async def rest(self, at_least: float = 0.0) -> bool:
        """Waits before the next try, each time longer; False if there is no time for one."""
        pause = max(at_least, self._pause * self._rng.uniform(0.5, 1.5))
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        if pause >= self.left:
            return False
        await anyio.sleep(pause)
        return True
