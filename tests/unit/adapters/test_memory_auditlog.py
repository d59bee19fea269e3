"""The audit in memory keeps within its bounds, and chooses who goes."""

from contract.mirrors import HandClock
from rollgraph.adapters.memory import MemoryAuditLog
from rollgraph.core.audit import AuditEntry, Result
from rollgraph.core.auditpages import AuditRequest
from rollgraph.core.viewer import Viewer


def entry(result: Result, subject: str = "alice", reason: str = "") -> AuditEntry:
    return AuditEntry(viewer=Viewer(subject), verb="promote", result=result, reason=reason)


async def test_the_oldest_goes_and_is_counted() -> None:
    log = MemoryAuditLog(HandClock(), max_rows=4)
    told = [log.record(entry(Result.APPLIED)).id for _ in range(5)]
    page = await log.page(AuditRequest())
    assert [row.id for row in page.rows] == [told[4], told[3]]
    assert page.forgotten == log.forgotten == 3


async def test_whoever_is_refused_all_the_time_hides_nothing_that_was_done() -> None:
    log = MemoryAuditLog(HandClock(), max_rows=10)
    done = log.record(entry(Result.APPLIED)).id
    for _ in range(1000):
        log.record(entry(Result.REFUSED, subject="mallory"))
    rows = (await log.page(AuditRequest())).rows
    assert rows[-1].id == done
    assert len(rows) == 6


async def test_whoever_logs_in_all_the_time_hides_nothing_either() -> None:
    log = MemoryAuditLog(HandClock(), max_rows=10)
    done = log.record(entry(Result.APPLIED)).id
    login = AuditEntry(viewer=Viewer("mallory"), verb="login", result=Result.APPLIED)
    for _ in range(1000):
        log.record(login)
    assert (await log.page(AuditRequest())).rows[-1].id == done


async def test_long_texts_make_fewer_rows_fit() -> None:
    log = MemoryAuditLog(HandClock(), max_rows=1000, max_bytes=60_000)
    for _ in range(100):
        log.record(entry(Result.APPLIED, reason="r" * 1024))
    page = await log.page(AuditRequest())
    assert 5 < page.total < 20
    assert page.forgotten == 100 - page.total


async def test_a_cursor_of_a_forgotten_row_keeps_its_place() -> None:
    log = MemoryAuditLog(HandClock(), max_rows=4)
    first = log.record(entry(Result.APPLIED)).id
    later = [log.record(entry(Result.APPLIED)).id for _ in range(2)]
    page = await log.page(AuditRequest(before=first, last=10))
    assert [row.id for row in page.rows] == later[::-1]
    assert (await log.page(AuditRequest(after=first, first=10))).rows == ()
