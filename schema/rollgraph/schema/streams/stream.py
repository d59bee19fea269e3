"""What all streams have in common: news in, events out, for one reader whose rights may change."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import anyio

from rollgraph.core.feed.news import News
from rollgraph.core.feed.topics import Topic
from rollgraph.schema.context import Context
from rollgraph.schema.streams.telling import Event
from rollgraph.schema.streams.viewing import Viewing

E = TypeVar("E", bound=Event)


class Stream(ABC, Generic[E]):
    """An async iterator of events. Whoever has it closes it.

    Args:
        context: The subscription's surroundings.
        interested: Which news can lead to an event.
        topics: It is asked about news of these alone; None for all news of the fleet.

    Attributes:
        viewing: The reader's rights.
    """

    def __init__(
        self,
        context: Context,
        interested: Callable[[News], bool],
        topics: Sequence[Topic] | None = None,
    ) -> None:
        self.viewing = Viewing(context)
        self._context = context
        self._ready: deque[E] = deque()
        self._listening = context.news.subscribe(interested, topics=topics)

    def __aiter__(self) -> "Stream[E]":
        """It is its own iterator."""
        return self

    async def __anext__(self) -> E:
        """The next event. Raises `TokenExpiredError` once the login has ended."""
        while True:
            if not self._ready and not self._pending:
                await self._wait()
            self.viewing.check()
            if self.viewing.renew():
                self._renew(self._context.time())
            while not self._ready and self._advance():
                pass
            if self._ready:
                return self._ready.popleft()

    async def aclose(self) -> None:
        """Ends it."""
        self._listening.__exit__(None, None, None)

    @abstractmethod
    def _renew(self, now: datetime) -> None:
        """The reader's rights are others now; what is ready may not be told any more."""

    @abstractmethod
    def _advance(self) -> bool:
        """Makes events ready, if there is something to tell; False if there is nothing at all."""

    @property
    def _pending(self) -> bool:
        """Whether there is something that may have to be told, so that nobody has to wait."""
        return self._listening.waiting

    def _due(self) -> datetime | None:
        """When there is something to tell even without news; None if never."""
        return None

    async def _wait(self) -> None:
        ends = [end for end in (self._due(), self.viewing.expires_at) if end is not None]
        if not ends:
            await self._listening.wait()
            return
        left = (min(ends) - self._context.time()).total_seconds()
        with anyio.move_on_after(max(left, 0.0)):
            await self._listening.wait()
