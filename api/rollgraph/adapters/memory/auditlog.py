"""The audit in memory: the rows of late, within bounds."""

import heapq
import secrets
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter

import msgspec

from rollgraph.core import auditpages
from rollgraph.core.audit import AuditEntry, AuditRow, bounded
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.ports import Clock

# A fleet of 10,000 rollouts that each are acted on once a day fills it in a day.
MAX_ROWS = 10_000
# Bytes. A usual row has less; one with the longest texts has 60 KiB.
BYTES_PER_ROW = 2400
# A row's objects, beside its texts.
_ROW_BYTES = 1300


class MemoryAuditLog:
    """A `ports.AuditLog`.

    What changed something, or may have, is kept apart from what did not, each within half of the
    bounds: whoever is refused a thousand times a second does not make what was done be forgotten.

    Args:
        clock: Tells when a row was made.
        max_rows: Rows that are kept; beyond, the oldest goes.
        max_bytes: Bytes of them, roughly; 23 MiB for 10,000 unless said otherwise.
    """

    def __init__(
        self, clock: Clock, *, max_rows: int = MAX_ROWS, max_bytes: int | None = None
    ) -> None:
        size = max_rows * BYTES_PER_ROW if max_bytes is None else max_bytes
        self._clock = clock
        self._ids = _Ids()
        self._changes = _Shelf(max_rows // 2, size // 2)
        self._others = _Shelf(max_rows - max_rows // 2, size // 2)

    @property
    def forgotten(self) -> int:
        """Rows that were kept once."""
        return self._changes.forgotten + self._others.forgotten

    def record(self, entry: AuditEntry) -> AuditRow:
        """See `ports.AuditLog`."""
        now = self._clock.now()
        row = AuditRow(id=self._ids.next(now), at=now, entry=bounded(entry))
        (self._changes if entry.changed else self._others).put(row)
        return row

    async def page(self, request: AuditRequest) -> AuditPage:
        """See `ports.AuditLog`."""
        newest_first = heapq.merge(
            reversed(self._changes), reversed(self._others), key=attrgetter("id"), reverse=True
        )
        return auditpages.page(newest_first, request, forgotten=self.forgotten)


class _Shelf:
    """Rows in the order in which they came, as many as there is room for."""

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._rows: deque[tuple[AuditRow, int]] = deque()
        self._size = 0
        self.forgotten = 0

    def __reversed__(self) -> Iterator[AuditRow]:
        return (row for row, _ in reversed(self._rows))

    def put(self, row: AuditRow) -> None:
        size = len(msgspec.msgpack.encode(row)) + _ROW_BYTES
        self._rows.append((row, size))
        self._size += size
        while len(self._rows) > self._max_rows or self._size > self._max_bytes:
            self._size -= self._rows.popleft()[1]
            self.forgotten += 1


class _Ids:
    """UUIDs of version 7 (RFC 9562), each greater than the one before, whatever the clock does.

    The 12 bits behind the milliseconds count. Where they run over, or the clock goes back, the time
    in the id is ahead of the clock for a while.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: datetime) -> str:
        self._last = max(int(now.timestamp() * 1000) << 12, self._last + 1)
        milliseconds, count = self._last >> 12, self._last & 0xFFF
        tail = 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | count << 64 | tail))
