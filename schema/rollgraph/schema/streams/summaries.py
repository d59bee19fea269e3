"""The stream of counts: rollouts in groups, told again when a count is another one."""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta

import msgspec

from rollgraph.core.feed.news import News
from rollgraph.core.filtering import Predicate
from rollgraph.schema.context import Context
from rollgraph.schema.streams.stream import Stream

Count = Callable[[Context], Sequence[object]]


class Counted(msgspec.Struct, frozen=True, eq=False):
    """Counts at a moment; an `Event`."""

    buckets: Sequence[object]
    at: datetime
    make: Callable[["Counted"], object]
    cursor: str = ""
    key: Hashable = None

    def object(self) -> object:
        """See `Event`."""
        return self.make(self)


class SummaryStream(Stream[Counted]):
    """Counts of some rollouts: those of now first, then whenever one is another.

    Args:
        context: The subscription's surroundings.
        matches: Which rollouts are counted.
        count: Counts them, as somebody sees them.
        interval: The shortest time between two counts: each looks at the whole fleet.
        make: Makes an answer's object of counts.
    """

    def __init__(
        self,
        context: Context,
        matches: Predicate,
        count: Count,
        interval: timedelta,
        make: Callable[[Counted], object],
    ) -> None:
        def interested(news: News) -> bool:
            return news.subject is None or any(view and matches(view) for view in news.views)

        super().__init__(context, interested)
        self._count = count
        self._interval = interval
        self._make = make
        self._told: Sequence[object] | None = None
        # When they are counted again; None until something changes.
        self._again: datetime | None = context.time()
        self._earliest = context.time()

    def _renew(self, now: datetime) -> None:
        self._ready.clear()
        self._again = now

    def _due(self) -> datetime | None:
        return self._again

    def _advance(self, now: datetime) -> bool:
        if self._listening.waiting:
            self._listening.drain()
            self._again = self._again or self._earliest
        if self._again is None or self._again > now:
            return False
        self._again, self._earliest = None, now + self._interval
        buckets = self._count(self.viewing.context())
        if buckets != self._told:
            self._told = buckets
            self._ready.append(Counted(buckets, now, self._make))
        return True
