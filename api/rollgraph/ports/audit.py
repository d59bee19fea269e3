"""Who did what."""

from typing import Protocol

from rollgraph.core.audit import AuditEntry, AuditRow
from rollgraph.core.auditpages import AuditPage, AuditRequest


class AuditLog(Protocol):
    """Remembers what was decided and done, allowed and refused."""

    def record(self, entry: AuditEntry) -> AuditRow:
        """Keeps an entry, and gives it its id and time; long texts are cut.

        Never waits and never raises: what has been done must not fail because it cannot be told.
        Nothing gets lost in silence either: where there is no more room, the oldest row goes and is
        counted in `forgotten`, and what was tried never goes for what was only refused.
        """

    async def page(self, request: AuditRequest) -> AuditPage:
        """One page of the rows that are kept, newest first; of all gateways, if they share a store.

        If that does not answer, the page is `partial`: what this gateway knows.

        Going from page to page with the cursors of the answers visits each row that is kept all the
        while exactly once. Raises `BadCursorError` for what is no cursor, `BadFilterError` for a
        filter and `BadRequestError` for a size that makes no sense.
        """
