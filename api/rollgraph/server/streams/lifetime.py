"""When a stream has to end because its caller's login does."""

from math import inf

import anyio

from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock
from rollgraph.schema.context import LEEWAY

# Seconds. A laptop that was asleep has another time when it wakes; so the clock is read anew.
LOOK_AGAIN = 60.0


class Lifetime:
    """Waits for the ends of logins.

    Args:
        clock: Tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def end(self, viewer: Viewer) -> None:
        """Returns when a login has ended, never if it does not."""
        while (left := self._left(viewer)) > 0:  # noqa: ASYNC110 - nobody tells when time is over
            await anyio.sleep(min(left, LOOK_AGAIN))

    def _left(self, viewer: Viewer) -> float:
        if viewer.expires_at is None:
            return inf
        return (viewer.expires_at + LEEWAY - self._clock.now()).total_seconds()
