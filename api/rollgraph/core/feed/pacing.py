"""At most one event of each rollout in a while: what comes in between waits and is put together."""

import heapq
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier, News, together
from rollgraph.core.refs import RolloutRef


class Pacer:
    """Holds news back. What it holds is at most one for each rollout.

    Args:
        interval: The shortest time between two news of one rollout.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval
        self._told: OrderedDict[RolloutRef, datetime] = OrderedDict()
        self._held: dict[RolloutRef, News] = {}
        self._due: list[tuple[datetime, RolloutRef]] = []
        # By spoke: the last position before the first news of each rollout that is held, the lowest
        # first, as the news of a spoke come in order.
        self._floors: dict[str, OrderedDict[RolloutRef, Position | None]] = {}

    def holds(self, news: News, now: datetime) -> bool:
        """Whether news have to wait; then they are held."""
        ref = news.ref
        if ref is None:
            return False
        if ref in self._held:
            # Behind what came before it: see `flush`.
            self._held[ref] = together(self._held.pop(ref), news)
            return True
        self._expire(now)
        told = self._told.setdefault(ref, now)
        if told is now:
            return False
        self._held[ref] = news
        heapq.heappush(self._due, (told + self._interval, ref))
        self._floors.setdefault(ref.cluster, OrderedDict())[ref] = _before(news)
        return True

    @property
    def due(self) -> datetime | None:
        """When the first of what is held is due."""
        return self._due[0][0] if self._due else None

    def release(self, now: datetime) -> News | None:
        """Held news that are due; None if there are none."""
        if self.due is None or self.due > now:
            return None
        _, ref = heapq.heappop(self._due)
        self._floors[ref.cluster].pop(ref)
        self._told.pop(ref, None)
        self._told[ref] = now
        return self._held.pop(ref)

    def flush(self) -> list[News]:
        """All that is held, which then is held no more.

        In the order in which the last of each came: who leaves after one of them comes back before
        the last of all others, and is told it.
        """
        held = [*self._held.values()]
        self._held.clear()
        self._due.clear()
        self._floors.clear()
        return held

    def frontier(self, frontier: Frontier) -> Frontier:
        """How far a reader is at a frontier who has not been told what is held."""
        if not self._held:
            return frontier
        floors = {
            cluster: next(iter(held.values())) for cluster, held in self._floors.items() if held
        }
        return Frontier(_capped(frontier.positions, floors))

    def _expire(self, now: datetime) -> None:
        while self._told:
            ref, told = next(iter(self._told.items()))
            if now - told < self._interval:
                return
            del self._told[ref]


def _before(news: News) -> Position | None:
    """The last position before news; None if nobody knows it."""
    if news.whole:
        return Position(news.position.epoch, news.position.seq - 1)
    return None if news.frontier is None else news.frontier.positions.get(news.cluster)


def _lower(one: Position | None, other: Position | None) -> Position | None:
    if one is None or other is None or one.epoch != other.epoch:
        return None
    return min(one, other, key=lambda position: position.seq)


def _capped(
    positions: Mapping[str, Position], floors: Mapping[str, Position | None]
) -> dict[str, Position]:
    """Positions, but at most the floors; a feed whose floor nobody knows is left out."""
    capped = {}
    for cluster, position in positions.items():
        lowest = _lower(position, floors.get(cluster, position))
        if lowest is not None:
            capped[cluster] = lowest
    return capped
