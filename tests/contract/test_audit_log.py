"""What every `AuditLog` promises."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import cast

import pytest

from contract.mirrors import HandClock
from contract.servers import REDISES, OnDemand, client
from contract.unheard import Unheard
from factories import NOON
from rollgraph.adapters.memory import MemoryAuditLog
from rollgraph.adapters.redis.auditlog import RedisAuditLog
from rollgraph.adapters.redis.opening import Client
from rollgraph.core.audit import MAX_GROUPS, MAX_TEXT, AuditEntry, AuditFilter, AuditRow, Result
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.errors import (
    BadCursorError,
    BadFilterError,
    BadRequestError,
    BrokerError,
)
from rollgraph.core.filtering import StringFilter
from rollgraph.core.refs import RolloutRef
from rollgraph.core.viewer import Viewer
from rollgraph.ports import AuditLog, Clock
from rollgraph.server.audittrail import AuditTrail

FACTORIES: dict[str, Callable[[Clock], AuditLog]] = {
    "memory": MemoryAuditLog,
    "trail": lambda clock: AuditTrail(MemoryAuditLog(clock)),
}
pytestmark = pytest.mark.looptime(False)
ALICE = Viewer("alice@example.com", groups=("shop",), issuer="https://idp.example.com")
BOB = Viewer("bob@example.com")
# Keys of the script that writes.
WRITES = 3
CHECKOUT = RolloutRef("prod-eu", "shop", "checkout")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


class Written:
    """One on Redis that has written all before it is asked, as often as that takes."""

    def __init__(self, log: RedisAuditLog) -> None:
        self._log = log

    def record(self, entry: AuditEntry) -> AuditRow:
        return self._log.record(entry)

    async def page(self, request: AuditRequest) -> AuditPage:
        for _ in range(1000):
            with suppress(BrokerError):
                await self._log.write()
                return await self._log.page(request)
        raise AssertionError("nothing is written")


@pytest.fixture(params=[*FACTORIES, *REDISES, "unheard"])
async def log(
    request: pytest.FixtureRequest, clock: HandClock, server: OnDemand
) -> AsyncIterator[AuditLog]:
    if request.param in FACTORIES:
        yield FACTORIES[request.param](clock)
        return
    async with client(request.param.replace("unheard", "redis"), server) as redis:
        heard = redis if request.param != "unheard" else cast("Client", Unheard(redis, WRITES))
        yield Written(RedisAuditLog(heard, clock))


def applied(viewer: Viewer = ALICE, verb: str = "promote", name: str = "checkout") -> AuditEntry:
    ref = RolloutRef("prod-eu", "shop", name)
    return AuditEntry(viewer=viewer, verb=verb, result=Result.APPLIED, ref=ref)


def refused(viewer: Viewer = BOB, layer: Layer = Layer.CASBIN) -> AuditEntry:
    decision = Decision(layer, message="no policy allows it")
    return AuditEntry(
        viewer=viewer, verb="abort", result=Result.REFUSED, decision=decision, ref=CHECKOUT
    )


async def ids(log: AuditLog, request: AuditRequest | None = None) -> list[str]:
    return [row.id for row in (await log.page(request or AuditRequest())).rows]


async def test_a_row_is_what_was_told_with_an_id_and_the_time(
    log: AuditLog, clock: HandClock
) -> None:
    row = log.record(applied())
    assert row == AuditRow(id=row.id, at=NOON, entry=applied())
    assert uuid.UUID(row.id).version == 7
    assert (await log.page(AuditRequest())).rows == (row,)


async def test_the_newest_comes_first_even_if_the_clock_goes_back(
    log: AuditLog, clock: HandClock
) -> None:
    told = []
    for seconds in (1, -5, 0, 0, 10):
        clock.forward(seconds)
        told.append(log.record(applied() if seconds else refused()).id)
    assert await ids(log) == told[::-1]
    assert sorted(told) == told


async def test_five_thousand_of_one_millisecond_keep_their_order(log: AuditLog) -> None:
    told = [log.record(applied()).id for _ in range(5000)]
    assert sorted(set(told)) == told


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_walking_visits_each_row_once_whatever_is_told_meanwhile(
    log: AuditLog, clock: HandClock, size: int
) -> None:
    told = []
    for number in range(7):
        clock.forward(1)
        told.append(log.record(applied() if number % 3 else refused()).id)
    seen: list[str] = []
    after = None
    while True:
        page = await log.page(AuditRequest(first=size, after=after))
        seen += [row.id for row in page.rows]
        if not page.has_next:
            break
        after = page.rows[-1].id
        log.record(refused())
    assert seen == told[::-1]


async def test_walking_backwards_visits_the_same(log: AuditLog) -> None:
    told = [log.record(applied()).id for _ in range(5)]
    last = await log.page(AuditRequest(last=2))
    assert [row.id for row in last.rows] == [told[1], told[0]]
    assert (last.has_previous, last.has_next) == (True, False)
    rest = await log.page(AuditRequest(last=3, before=told[1]))
    assert [row.id for row in rest.rows] == told[:1:-1]
    assert (rest.has_previous, rest.has_next) == (False, True)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AuditFilter(subject=StringFilter(eq="bob@example.com")), ["abort"]),
        (AuditFilter(verb=StringFilter(starts_with="promote")), ["promote-full", "promote"]),
        (AuditFilter(allowed=True), ["promote-full", "login", "promote"]),
        (AuditFilter(allowed=False), ["abort"]),
        (AuditFilter(refused_by=(Layer.CASBIN,)), ["abort"]),
        (AuditFilter(refused_by=(Layer.SCOPE,)), []),
        (AuditFilter(result=(Result.APPLIED, Result.REFUSED)), ["abort", "login", "promote"]),
        (AuditFilter(cluster=StringFilter(eq="prod-eu")), ["promote-full", "abort", "promote"]),
        (AuditFilter(namespace=StringFilter(eq="shop")), ["promote-full", "abort", "promote"]),
        (AuditFilter(name=StringFilter(eq="cart")), ["promote-full"]),
        (AuditFilter(since=NOON + timedelta(seconds=2)), ["promote-full", "abort"]),
        (AuditFilter(until=NOON + timedelta(seconds=2)), ["login", "promote"]),
        (
            AuditFilter(allowed=True, since=NOON + timedelta(seconds=1), result=(Result.APPLIED,)),
            ["login"],
        ),
    ],
)
async def test_a_filter_holds_in_all_its_parts(
    log: AuditLog, clock: HandClock, wanted: AuditFilter, expected: list[str]
) -> None:
    login = AuditEntry(viewer=ALICE, verb="login", result=Result.APPLIED)
    full = AuditEntry(
        viewer=ALICE,
        verb="promote-full",
        result=Result.UNCHANGED,
        ref=RolloutRef("prod-eu", "shop", "cart"),
    )
    for entry in (applied(), login, refused(), full):
        log.record(entry)
        clock.forward(1)
    page = await log.page(AuditRequest(filter=wanted, first=50))
    assert not page.partial
    assert [row.entry.verb for row in page.rows] == expected
    assert page.total == len(expected)


async def test_texts_are_cut_and_groups_are_few(log: AuditLog) -> None:
    viewer = Viewer("s" * 5000, groups=tuple(f"g{number}" for number in range(300)))
    row = log.record(
        AuditEntry(viewer=viewer, verb="abort", result=Result.FAILED, reason="why " * 1000)
    )
    assert len(row.entry.reason) == len(row.entry.viewer.subject) == MAX_TEXT
    assert row.entry.reason.endswith("...")
    assert len(row.entry.viewer.groups) == MAX_GROUPS


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (AuditRequest(after="nonsense"), BadCursorError),
        (AuditRequest(before="MTIz"), BadCursorError),
        (AuditRequest(first=1, last=1), BadRequestError),
        (AuditRequest(first=-1), BadRequestError),
        (AuditRequest(filter=AuditFilter(verb=StringFilter(matches="[a"))), BadFilterError),
    ],
)
async def test_what_makes_no_sense_is_refused(
    log: AuditLog, request_: AuditRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await log.page(request_)
