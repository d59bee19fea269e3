"""The audit that gateways keep together on Redis, which may be away, or be another."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import cast

import anyio
import pytest
from structlog.testing import capture_logs

from contract.mirrors import HandClock
from contract.servers import RedisServer
from contract.unheard import Unheard
from rollgraph.adapters.redis.auditlog import RedisAuditLog
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client, open_redis
from rollgraph.core.audit import AuditEntry, Result
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.errors import BrokerError
from rollgraph.core.viewer import Viewer

pytestmark = pytest.mark.looptime(False)

KEYS = Keys()


@pytest.fixture
def server(tmp_path: Path) -> RedisServer:
    return RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Client]:
    server.start()
    found = open_redis(server.url)
    try:
        yield found
    finally:
        await found.aclose()
        server.stop()


def entry(result: Result = Result.APPLIED, subject: str = "alice", reason: str = "") -> AuditEntry:
    return AuditEntry(viewer=Viewer(subject), verb="promote", result=result, reason=reason)


async def all_of(log: RedisAuditLog) -> AuditPage:
    return await log.page(AuditRequest())


def subjects(page: AuditPage) -> list[str]:
    return [row.entry.viewer.subject for row in page.rows]


async def until_answered(log: RedisAuditLog, wanted: list[str]) -> None:
    """Returns once a log answers all of these, and says that none is missing."""
    for _ in range(200):
        page = await all_of(log)
        if subjects(page) == wanted and not page.partial:
            return
        await anyio.sleep(0.05)
    raise AssertionError(f"never: {page}")


async def test_each_gateway_answers_the_rows_of_all_in_order(redis: Client) -> None:
    clock = HandClock()
    one, other = RedisAuditLog(redis, clock), RedisAuditLog(redis, clock)
    told = []
    for number in range(6):
        clock.forward(1)
        log = other if number % 2 else one
        told.append(log.record(entry(subject=f"user-{number}")))
    await other.write()
    await one.write()
    for log in (one, other):
        page = await all_of(log)
        assert list(page.rows) == told[::-1]
        assert (page.forgotten, page.partial) == (0, False)
    page = await other.page(AuditRequest(first=2, after=told[4].id))
    assert [row.id for row in page.rows] == [told[3].id, told[2].id]
    assert (page.total, page.has_next, page.has_previous) == (6, True, True)


async def test_what_is_recorded_is_written_by_itself(redis: Client) -> None:
    clock = HandClock()
    one, other = RedisAuditLog(redis, clock), RedisAuditLog(redis, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        for number in range(3):
            one.record(entry(subject=f"user-{number}"))
            await until_answered(other, [f"user-{n}" for n in range(number, -1, -1)])
        tasks.cancel_scope.cancel()


async def test_the_oldest_go_and_are_counted_once_by_all(redis: Client) -> None:
    clock = HandClock()
    one, other = (RedisAuditLog(redis, clock, max_rows=4) for _ in range(2))
    for number in range(7):
        (other if number % 2 else one).record(entry(subject=f"user-{number}"))
        await one.write()
        await other.write()
    for log in (one, other):
        page = await all_of(log)
        assert (subjects(page), page.forgotten) == (["user-6", "user-5"], 5)


async def test_whoever_is_refused_all_the_time_hides_nothing_that_was_done(redis: Client) -> None:
    log = RedisAuditLog(redis, HandClock(), max_rows=10)
    log.record(entry())
    for _ in range(30):
        for _ in range(10):
            log.record(entry(Result.REFUSED, "mallory"))
        await log.write()
    page = await all_of(log)
    assert subjects(page) == ["mallory"] * 5 + ["alice"]
    assert page.forgotten == 300 - 5


async def test_long_texts_make_fewer_rows_fit(redis: Client) -> None:
    log = RedisAuditLog(redis, HandClock(), max_rows=10)
    for number in range(20):
        # Of characters that do not repeat, so that packing does not help.
        text = "".join(chr(0x4E00 + (number * 7919 + at * 104_729) % 20_000) for at in range(1024))
        log.record(entry(subject=text, reason=text))
        await log.write()
    page = await all_of(log)
    assert 2 <= len(page.rows) < 5
    assert page.forgotten == 20 - len(page.rows)


async def test_without_redis_rows_wait_and_the_answer_says_that_some_may_be_missing(
    server: RedisServer, redis: Client
) -> None:
    one, other = RedisAuditLog(redis, HandClock()), RedisAuditLog(redis, HandClock())
    one.record(entry(subject="before"))
    await one.write()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        server.stop()
        with capture_logs() as logs:
            one.record(entry(subject="meanwhile"))
            page = await all_of(one)
            assert (subjects(page), page.partial) == (["meanwhile", "before"], True)
            assert "audit_not_read" in {line["event"] for line in logs}
        server.start()
        await until_answered(other, ["meanwhile", "before"])
        await until_answered(one, ["meanwhile", "before"])
        tasks.cancel_scope.cancel()


async def test_rows_that_wait_keep_within_bounds_and_those_that_go_are_counted(
    server: RedisServer, redis: Client
) -> None:
    log = RedisAuditLog(redis, HandClock(), max_rows=4)
    server.stop()
    for number in range(5):
        log.record(entry(subject=f"user-{number}"))
    page = await all_of(log)
    assert (subjects(page), page.forgotten) == (["user-4", "user-3"], 3)
    server.start()
    await until_answered(log, ["user-4", "user-3"])
    await log.write()
    for asked in (log, RedisAuditLog(redis, HandClock(), max_rows=4)):
        page = await all_of(asked)
        assert (subjects(page), page.forgotten) == (["user-4", "user-3"], 3)


async def test_a_redis_that_lost_its_data_is_another_audit(
    server: RedisServer, redis: Client
) -> None:
    log = RedisAuditLog(redis, HandClock())
    log.record(entry(subject="before"))
    await log.write()
    server.empty()
    log.record(entry(subject="after"))
    await log.write()
    assert subjects(await all_of(log)) == ["after"]


async def test_a_row_of_another_version_is_left_out(redis: Client) -> None:
    log = RedisAuditLog(redis, HandClock())
    log.record(entry())
    await log.write()
    await redis.xadd(KEYS.audit("changes"), {"r": b"\x09later"})
    await redis.xadd(KEYS.audit("changes"), {"r": b"\x01nonsense"})
    assert subjects(await all_of(log)) == ["alice"]


async def test_what_was_recorded_last_is_written_at_the_end(redis: Client) -> None:
    log = RedisAuditLog(redis, HandClock())
    log.record(entry())
    await log.close()
    assert subjects(await all_of(RedisAuditLog(redis, HandClock()))) == ["alice"]


async def test_the_end_does_not_wait_for_a_redis_that_is_away(
    server: RedisServer, redis: Client
) -> None:
    log = RedisAuditLog(redis, HandClock())
    log.record(entry())
    server.stop()
    with anyio.fail_after(3):
        await log.close()


@pytest.mark.parametrize("taken", ["changes", "counts"])
async def test_where_an_operator_has_deleted_a_part_it_goes_on(redis: Client, taken: str) -> None:
    log = RedisAuditLog(redis, HandClock(), max_rows=4)
    # Nothing that can be packed: each takes more than half of the bytes that its shelf may have.
    noise = "".join(map(chr, Random(1).sample(range(0x4E00, 0x9FFF), 1_000)))
    log.record(entry(subject="alice", reason=noise))
    await log.write()
    await redis.delete(KEYS.audit_counts if taken == "counts" else KEYS.audit(taken))
    for subject in ("bob", "carol"):
        log.record(entry(subject=subject, reason=noise))
        await log.write()
        assert subjects(await all_of(log))[:1] == [subject]


async def test_a_write_whose_answer_was_lost_is_repeated_without_a_row_twice(redis: Client) -> None:
    unheard = Unheard(redis, keys=3)
    log = RedisAuditLog(cast("Client", unheard), HandClock(), max_rows=20)
    for number in range(30):
        log.record(entry(subject=f"user-{number}"))
        with suppress(BrokerError):
            await log.write()
    assert unheard.lost == 15
    assert await redis.xlen(KEYS.audit("changes")) == 10
    for asked in (log, RedisAuditLog(redis, HandClock(), max_rows=20)):
        page = await all_of(asked)
        assert subjects(page) == [f"user-{number}" for number in range(29, 19, -1)]
        assert page.forgotten == 20


async def test_rows_for_which_there_was_no_room_after_they_were_written_unheard_are_not_lost(
    server: RedisServer, redis: Client
) -> None:
    unheard = Unheard(redis, keys=3)
    log = RedisAuditLog(cast("Client", unheard), HandClock(), max_rows=8)
    for number in range(4):
        log.record(entry(subject=f"user-{number}"))
    with pytest.raises(BrokerError):
        await log.write()
    # There is room here for the last four; the three before them are lost, and no others.
    for number in range(4, 11):
        log.record(entry(subject=f"user-{number}"))
    await log.write()
    for asked in (log, RedisAuditLog(redis, HandClock(), max_rows=8)):
        page = await all_of(asked)
        assert subjects(page) == [f"user-{number}" for number in (10, 9, 8, 7)]
        assert page.forgotten == 7
