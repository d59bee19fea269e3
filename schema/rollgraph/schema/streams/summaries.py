"""The stream of counts: rollouts in groups, told again when a count is another one."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta

import msgspec

from rollgraph.core.feed.news import News
from rollgraph.core.filtering import Predicate
from rollgraph.core.objects.meta import EPOCH
from rollgraph.schema.context import Context
from rollgraph.schema.streams.stream import Stream

# Counts that are kept, some KiB each: of so many different tiles in a moment.
MAX_COUNTS = 256


class Counted(msgspec.Struct, frozen=True, eq=False):
    """Counts at a moment; an `Event`. It is equal only to itself, and all who share it get it."""

    buckets: Sequence[object]
    at: datetime
    make: Callable[["Counted"], object]
    cursor: str = ""
    trace: str = ""

    @property
    def key(self) -> Hashable:
        """See `Event`."""
        return self

    def shared(self) -> "Counted":
        """See `Event`: it has no cursor."""
        return self

    def object(self) -> object:
        """See `Event`."""
        return self.make(self)


class Tile(msgspec.Struct, frozen=True):
    """What is counted, and how.

    Attributes:
        matches: Which rollouts.
        count: Counts them, as somebody sees them.
        make: Makes an answer's object of counts.
        key: Equal for two tiles only if they count the same.
    """

    matches: Predicate
    count: Callable[[Context], Sequence[object]]
    make: Callable[[Counted], object]
    key: Hashable


class Counting:
    """Counts of late. Of readers who see the same and ask for the same one counts for all.

    Args:
        most: Counts that are kept; the oldest goes first.
    """

    def __init__(self, most: int = MAX_COUNTS) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Counted] = OrderedDict()

    def counted(self, tile: Tile, context: Context) -> Counted:
        """The counts of now, which may be those that another has got a moment ago."""
        # Nothing has changed since as long as the frontier is the same.
        key = (context.news.frontier, context.rights.key, tile.key)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Counted(tile.count(context), context.time(), tile.make)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


_COUNTING = Counting()


class SummaryStream(Stream[Counted]):
    """Counts of some rollouts: those of now first, then whenever one is another.

    Args:
        context: The subscription's surroundings.
        tile: What is counted.
        interval: The shortest time between two counts: each looks at the whole fleet.
    """

    def __init__(self, context: Context, tile: Tile, interval: timedelta) -> None:
        def interested(news: News) -> bool:
            return news.subject is None or any(view and tile.matches(view) for view in news.views)

        super().__init__(context, interested)
        self._tile = tile
        self._interval = interval
        self._told: Sequence[object] | None = None
        # When they are counted again; None until something changes.
        self._again: datetime | None = context.time()
        self._earliest = context.time()

    def _renew(self, now: datetime) -> None:
        self._ready.clear()
        self._again = now

    def _due(self) -> datetime | None:
        return self._again

    def _advance(self) -> bool:
        now = self._context.time()
        if self._listening.waiting:
            self._listening.drain()
            self._again = self._again or self._earliest
        if self._again is None or self._again > now:
            return False
        self._again, self._earliest = None, _next_beat(now, self._interval)
        counted = _COUNTING.counted(self._tile, self.viewing.context())
        if counted.buckets != self._told:
            self._told = counted.buckets
            self._ready.append(counted)
        return True


def _next_beat(now: datetime, interval: timedelta) -> datetime:
    """The first beat that is an interval away at least.

    Beats are the same for all: so readers of the same, whenever they came, count at the same time,
    and share the counts.
    """
    return EPOCH - (EPOCH - now - interval) // interval * interval
