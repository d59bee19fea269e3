"""How long a client may take nothing of what is sent to it."""

import asyncio

import anyio


class Patience:
    """Notes, around each send, whether one is under way.

    A time limit for each send takes as long as the send, and nearly all of them are over at once:
    so one task looks after all sends of a connection, and sleeps meanwhile.

    Args:
        seconds: How long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sending = 0
        self._since = 0.0
        # As `anyio.current_time`, which looks each time whose loop it is: 3 us of the 20 of a send.
        self._now = asyncio.get_running_loop().time

    def __enter__(self) -> None:
        """Something is being sent."""
        if not self._sending:
            self._since = self._now()
        self._sending += 1

    def __exit__(self, *_: object) -> None:
        """It was taken, or never will be."""
        self._sending -= 1
        if self._sending:
            self._since = self._now()

    async def end(self) -> None:
        """Returns once nothing was taken for that long, though there was something to take."""
        while True:
            waited = self._now() - self._since if self._sending else 0.0
            if waited >= self._seconds:
                return
            await anyio.sleep(self._seconds - waited)
