"""Wakes tasks that wait for something to become true."""

from collections.abc import Callable

import anyio


class Signal:
    """Tells waiting tasks to look again. Carries nothing, so it needs no queue."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def notify(self) -> None:
        """Lets each waiting task look again."""
        self._event.set()
        self._event = anyio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        """Returns once a condition holds; it is looked at now and at each notification."""
        while not true():
            await self._event.wait()
