"""One order of the fleet's rollouts, as it is now and as recent walks have seen it.

Every entry knows from which sequence number of the mirror on, and up to which, a rollout had that
place. A walk is pinned to a sequence number and sees the entries that stood at it; there is exactly
one for each rollout that existed then. A rollout that moves leaves a dead entry behind, but only if
a walk may still need it.
"""

import operator
from bisect import bisect_left, bisect_right, insort_right
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from rollgraph.adapters.memory.rows import Row
from rollgraph.core.ordering import Key

# How long a dead entry is kept for walks that began before it died. A program needs less than a
# second per page of 200; a person who turns pages more slowly reads them one by one anyway.
DEAD_FOR = timedelta(seconds=60)
# How many dead entries are kept: as many as there are rollouts in a large fleet, so that a page
# costs at most twice as much. The oldest go first: the walks that have taken longest lose.
MAX_DEAD = 10_000
# From here on one pass over the whole list is cheaper than taking entries out one by one.
_MANY = 100

_FOREVER = 2**63


class Entry(msgspec.Struct, gc=False, eq=False):
    """A rollout's place in the order from sequence number `born` on, until before `died`."""

    key: bytes
    row: Row
    born: int
    died: int = _FOREVER


_key_of = operator.attrgetter("key")


class Index:
    """A sorted list of entries.

    A flat list: inserting into one of 10,000 moves 40 kB, about a microsecond; with 100,000 about
    ten.

    Attributes:
        entries: Sorted by key; of equal keys (a rollout that came back) one at most is alive at any
            sequence number.
    """

    def __init__(self, key: Key, rows: Iterable[Row], sequence: int) -> None:
        self._key = key
        self._floor = sequence
        self._last_pin = -1
        self._dead: deque[tuple[datetime, Entry]] = deque()
        self._live: dict[int, Entry] = {
            row.number: Entry(key(row.view, row.place), row, sequence)
            for row in rows
            if row.view is not None
        }
        self.entries: list[Entry] = sorted(self._live.values(), key=_key_of)

    def pin(self, sequence: int) -> int:
        """Pins a walk to the present state, which has this sequence number."""
        self._last_pin = sequence
        return sequence

    def holds(self, pin: int) -> bool:
        """Whether the state of that sequence number can still be seen."""
        return self._floor <= pin <= self._last_pin

    def after(self, key: bytes) -> int:
        """The position behind a key."""
        return bisect_right(self.entries, key, key=_key_of)

    def at(self, key: bytes) -> int:
        """The position of a key, or where it would be."""
        return bisect_left(self.entries, key, key=_key_of)

    def put(self, row: Row, sequence: int, now: datetime) -> None:
        """Notes a row's new view as the change with this sequence number."""
        if row.view is None:
            return
        key = self._key(row.view, row.place)
        old = self._live.get(row.number)
        if old is not None:
            if old.key == key:
                return
            self._bury(old, sequence, now)
        entry = self._live[row.number] = Entry(key, row, sequence)
        insort_right(self.entries, entry, key=_key_of)

    def drop(self, row: Row) -> None:
        """Notes that a rollout is gone: no walk needs its place, dead or alive."""
        entry = self._live.pop(row.number, None)
        if entry is not None:
            self._remove(entry)

    def drop_all(self, rows: Iterable[Row]) -> None:
        """Notes that many rollouts are gone, in one pass."""
        for row in rows:
            self._live.pop(row.number, None)
        self.entries = [entry for entry in self.entries if entry.row.view is not None]

    def prune(self, now: datetime) -> None:
        """Forgets dead entries that are too old or too many, and with them the walks that would
        need them.
        """
        forgotten = self._worn_out(now - DEAD_FOR) if self._dead else []
        if not forgotten:
            return
        if self._last_pin < forgotten[-1].died:  # no walk is left that could see any of the rest
            forgotten.extend(entry for _, entry in self._dead)
            self._dead.clear()
        self._floor = forgotten[-1].died
        if len(forgotten) > _MANY:
            self.entries = [entry for entry in self.entries if entry.died > self._floor]
        else:
            for entry in forgotten:
                self._remove(entry)

    def _worn_out(self, horizon: datetime) -> list[Entry]:
        dead, forgotten = self._dead, []
        while dead and (dead[0][0] <= horizon or len(dead) > MAX_DEAD):
            forgotten.append(dead.popleft()[1])
        return forgotten

    def _bury(self, entry: Entry, sequence: int, now: datetime) -> None:
        entry.died = sequence
        if self._last_pin >= entry.born and self._last_pin >= self._floor:
            self._dead.append((now, entry))
        else:
            self._remove(entry)

    def _remove(self, entry: Entry) -> None:
        """Takes an entry out, unless it has gone with its cluster."""
        for position in range(self.at(entry.key), self.after(entry.key)):
            if self.entries[position] is entry:
                del self.entries[position]
                return
