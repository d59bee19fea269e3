"""Where the audit goes: to the store that is asked, to the log, and to the rollout itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import structlog

from rollgraph.core.audit import AuditEntry, AuditRow
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.ports import AuditLog
from rollgraph.server.logging import AUDIT_LOGGER

_log = structlog.get_logger(__name__)
_audit = structlog.get_logger(AUDIT_LOGGER)

# Told of each row, at once; it must not wait.
Hears: TypeAlias = Callable[[AuditRow], None]


class AuditTrail:
    """A `ports.AuditLog` that tells others of its rows.

    Args:
        store: Where rows are kept.
        hears: Who is told of each. Whoever fails keeps no other from hearing.
    """

    def __init__(self, store: AuditLog, hears: Sequence[Hears] = ()) -> None:
        self._store = store
        self._hears = list(hears)

    def tell(self, hears: Hears) -> None:
        """Has somebody told of each row from now on."""
        self._hears.append(hears)

    def record(self, entry: AuditEntry) -> AuditRow:
        """See `ports.AuditLog`."""
        row = self._store.record(entry)
        for hear in self._hears:
            try:
                hear(row)
            except Exception as error:  # noqa: BLE001 - what was done must not fail for it
                _log.error("audit_row_not_told", id=row.id, exc_info=error)
        return row

    async def page(self, request: AuditRequest) -> AuditPage:
        """See `ports.AuditLog`."""
        return await self._store.page(request)


def write(row: AuditRow) -> None:
    """Writes a row to the log, as one line that no log level mutes."""
    _audit.info("audit", **line(row))


def line(row: AuditRow) -> Mapping[str, Any]:
    """A row as a line of the log has it; what is empty is left out."""
    entry = row.entry
    viewer, decision, ref = entry.viewer, entry.decision, entry.ref
    told = {
        "id": row.id,
        "at": row.at.isoformat(),
        "request_id": entry.request_id,
        "subject": viewer.subject,
        "issuer": viewer.issuer,
        "groups": list(viewer.groups),
        "login": viewer.login.value,
        "verb": str(entry.verb),
        "cluster": ref.cluster if ref else "",
        "namespace": ref.namespace if ref else "",
        "name": ref.name if ref else "",
        "uid": entry.uid,
        "object": entry.object,
        "reason": entry.reason,
        "decision": "ALLOWED" if decision.allowed else "REFUSED",
        "refused_by": decision.refused_by.value if decision.refused_by else "",
        "missing_scopes": list(decision.missing_scopes),
        "result": entry.result.value,
        "message": entry.message or decision.message,
        "patches": list(entry.patches),
        "version_before": entry.version_before,
        "version_after": entry.version_after,
        "milliseconds": round(entry.seconds * 1000, 2),
        "operation": entry.operation,
        "acted_as": entry.acted_as,
    }
    return {name: value for name, value in told.items() if value not in ("", [])}
