"""Rows of the audit within bounds, and the ids that order them."""

import heapq
import secrets
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter

import msgspec

from rollgraph.core.audit import AuditRow

# A fleet of 10,000 rollouts that each are acted on once a day fills it in a day.
MAX_ROWS = 10_000
# Bytes. A usual row has less; one with the longest texts has 60 KiB.
BYTES_PER_ROW = 2400
# A row's objects, beside its texts.
_ROW_BYTES = 1300


class Shelf:
    """Rows in the order in which they came, as many as there is room for.

    Args:
        max_rows: Rows that are kept; beyond, the oldest goes.
        max_bytes: Bytes of them, roughly.

    Attributes:
        forgotten: Rows that were put here and had to go.
        gone: Rows that were put here and are not here any more: the number of the oldest, if they
            are numbered from 0 as they come.
    """

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._rows: deque[tuple[AuditRow, int]] = deque()
        self._size = 0
        self.forgotten = 0
        self.gone = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __reversed__(self) -> Iterator[AuditRow]:
        return (row for row, _ in reversed(self._rows))

    def put(self, row: AuditRow) -> None:
        """Adds a row."""
        size = len(msgspec.msgpack.encode(row)) + _ROW_BYTES
        self._rows.append((row, size))
        self._size += size
        while len(self._rows) > self._max_rows or self._size > self._max_bytes:
            self._pop()
            self.forgotten += 1

    def oldest(self, count: int) -> Sequence[AuditRow]:
        """So many of those that came first, at most."""
        return [self._rows[at][0] for at in range(min(count, len(self._rows)))]

    def take(self, rows: Sequence[AuditRow]) -> None:
        """Takes away rows that were the oldest; they may have gone by themselves since."""
        ids = {row.id for row in rows}
        while self._rows and self._rows[0][0].id in ids:
            self._pop()

    def _pop(self) -> None:
        self._size -= self._rows.popleft()[1]
        self.gone += 1


class Shelves:
    """Rows on two shelves.

    What changed something, or may have, is kept apart from what did not, each within half of the
    bounds: whoever is refused a thousand times a second does not make what was done be forgotten.

    Args:
        max_rows: Rows that are kept on both.
        max_bytes: Bytes of them, roughly; 23 MiB for 10,000 unless said otherwise.

    Attributes:
        changes: What changed something.
        others: What did not.
    """

    def __init__(self, max_rows: int = MAX_ROWS, max_bytes: int | None = None) -> None:
        size = max_rows * BYTES_PER_ROW if max_bytes is None else max_bytes
        self.changes = Shelf(max_rows // 2, size // 2)
        self.others = Shelf(max_rows - max_rows // 2, size // 2)

    @property
    def forgotten(self) -> int:
        """Rows that were kept once."""
        return self.changes.forgotten + self.others.forgotten

    def put(self, row: AuditRow) -> None:
        """Adds a row."""
        (self.changes if row.entry.changed else self.others).put(row)

    def newest_first(self) -> Iterator[AuditRow]:
        """All rows; they were put in the order of their ids."""
        both = reversed(self.changes), reversed(self.others)
        return heapq.merge(*both, key=attrgetter("id"), reverse=True)


class Ids:
    """UUIDs of version 7 (RFC 9562), each greater than the one before, whatever the clock does.

    The 12 bits behind the milliseconds count. Where they run over, or the clock goes back, the time
    in the id is ahead of the clock for a while.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: datetime) -> str:
        """The id of what is told now."""
        self._last = max(int(now.timestamp() * 1000) << 12, self._last + 1)
        milliseconds, count = self._last >> 12, self._last & 0xFFF
        tail = 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | count << 64 | tail))
