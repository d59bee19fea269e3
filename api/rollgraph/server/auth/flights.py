"""One request at a time for each key; the others wait and find what it brought."""

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import anyio


class Flights:
    """As many locks as there are keys in use at this moment."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[anyio.Lock, int]] = {}

    @asynccontextmanager
    async def one(self, key: Hashable) -> AsyncIterator[None]:
        """Waits until nobody else is within for the same key."""
        lock, users = self._locks.get(key, (anyio.Lock(), 0))
        self._locks[key] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[key]
            if users > 1:
                self._locks[key] = lock, users - 1
            else:
                del self._locks[key]
