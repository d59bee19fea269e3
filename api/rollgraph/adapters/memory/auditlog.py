"""The audit in memory: the rows of late, within bounds."""

from rollgraph.core import auditpages
from rollgraph.core.audit import AuditEntry, AuditRow, bounded
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.auditshelves import MAX_ROWS, Ids, Shelves
from rollgraph.ports import Clock


class MemoryAuditLog:
    """A `ports.AuditLog`.

    Args:
        clock: Tells when a row was made.
        max_rows: Rows that are kept; beyond, the oldest goes. See `Shelves`.
        max_bytes: Bytes of them, roughly.
    """

    def __init__(
        self, clock: Clock, *, max_rows: int = MAX_ROWS, max_bytes: int | None = None
    ) -> None:
        self._clock = clock
        self._ids = Ids()
        self._shelves = Shelves(max_rows, max_bytes)

    @property
    def forgotten(self) -> int:
        """Rows that were kept once."""
        return self._shelves.forgotten

    def record(self, entry: AuditEntry) -> AuditRow:
        """See `ports.AuditLog`."""
        now = self._clock.now()
        row = AuditRow(id=self._ids.next(now), at=now, entry=bounded(entry))
        self._shelves.put(row)
        return row

    async def page(self, request: AuditRequest) -> AuditPage:
        """See `ports.AuditLog`."""
        rows = self._shelves.newest_first()
        return auditpages.page(rows, request, forgotten=self.forgotten)
