"""Logins of browsers in this process's memory: they end with it."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from weakref import WeakValueDictionary

import anyio

from rollgraph.core.session import Session
from rollgraph.ports import Clock

# Logins at once: some 4 KiB each, mostly tokens.
MOST = 10_000


class MemorySessions:
    """A `ports.SessionStore`.

    Args:
        clock: Tells the time.
        most: Logins that are kept.
    """

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        # For as long as somebody has one, or waits.
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()
        # The longest unused first.
        self._sessions: OrderedDict[str, tuple[Session, datetime]] = OrderedDict()

    async def get(self, key: str) -> Session | None:
        """Of the port."""
        session, until = self._sessions.get(key, (None, None))
        if until is None:
            return None
        if until <= self._clock.now():
            del self._sessions[key]
            return None
        self._sessions.move_to_end(key)
        return session

    async def put(self, key: str, session: Session, until: datetime) -> None:
        """Of the port."""
        self._sessions[key] = (session, until)
        self._sessions.move_to_end(key)
        if len(self._sessions) > self._most:
            self._sessions.popitem(last=False)

    async def drop(self, key: str) -> None:
        """Of the port."""
        self._sessions.pop(key, None)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Of the port."""
        lock = self._turns.setdefault(key, anyio.Lock())
        async with lock:
            yield
