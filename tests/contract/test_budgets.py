"""What all `Budgets` do, whichever gateway asks."""

from collections.abc import AsyncIterator

import anyio
import pytest

from contract.servers import OnDemand
from contract.stores import KINDS, stores
from rollgraph.ports import Budgets

pytestmark = pytest.mark.looptime(False)

# A minute's points: one comes back in a tenth of a second.
LIMIT = 600


@pytest.fixture(params=KINDS)
async def two(
    request: pytest.FixtureRequest, server: OnDemand
) -> AsyncIterator[tuple[Budgets, Budgets]]:
    async with stores(request.param, server) as found:
        yield found.budgets


async def test_who_begins_has_all_points(two: tuple[Budgets, Budgets]) -> None:
    one, _ = two
    balance = await one.spend("ann", 100, LIMIT)
    assert balance.allowed
    assert (balance.limit, balance.remaining, balance.wait) == (LIMIT, 500, 0)


async def test_all_gateways_count_together(two: tuple[Budgets, Budgets]) -> None:
    one, other = two
    await one.spend("ann", 400, LIMIT)
    balance = await other.spend("ann", 100, LIMIT)
    assert balance.allowed
    assert balance.remaining in range(100, 110)


async def test_each_has_a_budget_of_their_own(two: tuple[Budgets, Budgets]) -> None:
    one, _ = two
    await one.spend("ann", LIMIT, LIMIT)
    assert (await one.spend("bob", LIMIT, LIMIT)).allowed


async def test_too_few_points_are_not_spent_and_it_is_told_how_long_to_wait(
    two: tuple[Budgets, Budgets],
) -> None:
    one, other = two
    await one.spend("ann", 590, LIMIT)
    refused = await other.spend("ann", 300, LIMIT)
    assert not refused.allowed
    assert refused.remaining in range(10, 20)
    assert refused.wait == pytest.approx(29, abs=1)
    assert (await one.spend("ann", 10, LIMIT)).allowed


async def test_who_waits_as_long_as_told_may_ask(two: tuple[Budgets, Budgets]) -> None:
    one, other = two
    await one.spend("ann", LIMIT, LIMIT)
    refused = await one.spend("ann", 3, LIMIT)
    assert 0 < refused.wait <= 0.3
    await anyio.sleep(refused.wait + 0.02)
    assert (await other.spend("ann", 3, LIMIT)).allowed


async def test_what_was_not_needed_is_given_back(two: tuple[Budgets, Budgets]) -> None:
    one, other = two
    await one.spend("ann", LIMIT, LIMIT)
    balance = await other.spend("ann", 100, LIMIT, back=300)
    assert balance.allowed
    assert balance.remaining in range(200, 210)
    assert (await one.spend("bob", 0, LIMIT, back=300)).remaining == LIMIT


async def test_more_than_there_ever_is_takes_all(two: tuple[Budgets, Budgets]) -> None:
    one, _ = two
    balance = await one.spend("ann", 10 * LIMIT, LIMIT)
    assert balance.allowed
    assert balance.remaining == 0


async def test_of_many_at_a_time_no_more_get_through_than_may(
    two: tuple[Budgets, Budgets],
) -> None:
    one, other = two
    allowed: list[bool] = []

    async def ask(budgets: Budgets) -> None:
        allowed.append((await budgets.spend("ann", 100, LIMIT)).allowed)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask, one)
            tasks.start_soon(ask, other)
    assert sorted(allowed) == [False] * 34 + [True] * 6


async def test_a_limit_that_is_set_anew_counts_at_once(two: tuple[Budgets, Budgets]) -> None:
    one, _ = two
    await one.spend("ann", 100, LIMIT)
    assert (await one.spend("ann", 0, 50)).remaining == 50
