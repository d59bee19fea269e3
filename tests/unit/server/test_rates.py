"""Who asks too fast is refused, and told how long to wait; nobody else notices."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import pytest
from structlog.testing import capture_logs

from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.core.budgets import Balance
from rollgraph.core.errors import BrokerError
from rollgraph.core.viewer import LOCAL, Viewer
from rollgraph.schema.limits.price import Paid, Price
from rollgraph.server.failures import OperationRefusedError
from rollgraph.server.rates import ANSWER_WITHIN, Rates, told

ANN, BOB = Viewer("ann", issuer="https://idp"), Viewer("bob", issuer="https://idp")
PAGE = Price(cost=100, objects=80, points=100)
ACTION = Price(cost=12, objects=2, points=12, acts=True)
HERE = "10.0.0.1"
NOW = datetime(2026, 5, 12, 9, 2, tzinfo=UTC)


@dataclass
class Shared:
    """Budgets of all gateways, which do not always answer."""

    inner: MemoryBudgets = field(default_factory=MemoryBudgets)
    error: Exception | None = None
    takes: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def spend(self, whose: str, points: int, limit: int, back: int = 0) -> Balance:
        self.asked.append(whose)
        await anyio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        return await self.inner.spend(whose, points, limit, back)


def rates(shared: Shared | None = None, *, points: int = 300, action_points: int = 24) -> Rates:
    return Rates(MemoryBudgets(), shared, points=points, action_points=action_points)


def left(paid: Paid) -> int:
    assert paid.balance is not None
    return paid.balance.remaining


async def exhaust(made: Rates, viewer: Viewer, address: str = HERE, price: Price = PAGE) -> None:
    for _ in range(3):
        await made.charge(viewer, address, price)


async def test_who_has_spent_all_is_refused_until_there_is_enough_again() -> None:
    made = rates()
    await exhaust(made, ANN)
    with pytest.raises(OperationRefusedError) as refused:
        await made.charge(ANN, HERE, PAGE)
    assert refused.value.status_code == 429
    assert refused.value.headers == {"Retry-After": "20"}
    assert refused.value.extensions == {
        "code": "RATE_LIMITED",
        "retryAfter": 20,
        "cost": 100,
        "remaining": 0,
        "limit": 300,
    }
    assert refused.value.detail == (
        "The request takes 100 points, and 0 are left of 300 a minute: ask again in 20 s, or for"
        " less at once"
    )
    await anyio.sleep(20)
    await made.charge(ANN, HERE, PAGE)


async def test_each_viewer_has_a_budget_wherever_they_ask_from() -> None:
    made = rates()
    await exhaust(made, ANN)
    await made.charge(BOB, HERE, PAGE)
    await made.charge(Viewer("ann", issuer="https://another"), HERE, PAGE)
    with pytest.raises(OperationRefusedError):
        await made.charge(ANN, "10.0.0.2", PAGE)


async def test_where_nobody_logs_in_each_address_has_a_budget() -> None:
    made = rates()
    await exhaust(made, LOCAL)
    await made.charge(LOCAL, "10.0.0.2", PAGE)
    with pytest.raises(OperationRefusedError):
        await made.charge(LOCAL, HERE, PAGE)


async def test_actions_have_a_budget_of_their_own() -> None:
    made = rates()
    await exhaust(made, ANN)
    for _ in range(2):
        await made.charge(ANN, HERE, ACTION)
    with pytest.raises(OperationRefusedError, match="0 of actions are left of 24"):
        await made.charge(ANN, HERE, ACTION)
    await made.charge(BOB, HERE, ACTION)


async def test_zero_is_no_limit() -> None:
    made = rates(points=0)
    for _ in range(100):
        assert (await made.charge(ANN, HERE, PAGE)).balance is None


async def test_what_an_answer_did_not_have_is_given_back() -> None:
    made = rates()
    paid = await made.charge(ANN, HERE, PAGE)
    made.settle(ANN, HERE, paid, objects=10)
    assert left(await made.charge(ANN, HERE, PAGE)) == 300 - 30 - 100


async def test_no_more_is_given_back_than_was_taken() -> None:
    made = rates()
    dry = Price(cost=100, objects=80, points=1)
    made.settle(ANN, HERE, await made.charge(ANN, HERE, dry), objects=1)
    acted = Price(cost=100, objects=80, points=24, acts=True)
    made.settle(ANN, HERE, await made.charge(ANN, HERE, acted), objects=1)
    assert left(await made.charge(ANN, HERE, dry)) == 298
    with pytest.raises(OperationRefusedError):
        await made.charge(ANN, HERE, ACTION)


async def test_what_costs_more_than_a_whole_budget_gets_back_no_more_than_that() -> None:
    made = rates(points=60)
    paid = await made.charge(ANN, HERE, PAGE)
    # The answer alone takes 90 of the 60 that were taken.
    made.settle(ANN, HERE, paid, objects=70)
    assert told(paid, NOW, objects=70)["remaining"] == 0
    with pytest.raises(OperationRefusedError, match="0 are left of 60"):
        await made.charge(ANN, HERE, PAGE)


async def test_of_an_action_nothing_is_said_to_come_back() -> None:
    paid = await rates().charge(ANN, HERE, Price(cost=12, objects=9, points=12, acts=True))
    assert told(paid, NOW, objects=1)["remaining"] == 12


async def test_gateways_count_together() -> None:
    shared = Shared()
    one, other = rates(shared), rates(shared)
    await exhaust(one, ANN)
    with pytest.raises(OperationRefusedError):
        await other.charge(ANN, HERE, PAGE)
    assert all("ann" not in whose for whose in shared.asked)


@pytest.mark.parametrize("fault", [{"error": BrokerError("away")}, {"takes": 3600.0}])
async def test_while_redis_is_away_each_gateway_counts_alone(fault: dict[str, float]) -> None:
    shared = Shared(**fault)  # type: ignore[arg-type]
    made = rates(shared)
    begun = anyio.current_time()
    with capture_logs() as logs:
        await exhaust(made, ANN)
        with pytest.raises(OperationRefusedError):
            await made.charge(ANN, HERE, PAGE)
    # One request has waited for it, and shortly; the others did not even ask.
    assert anyio.current_time() - begun <= ANSWER_WITHIN
    assert len(shared.asked) == 1
    assert [log["event"] for log in logs] == ["budgets_counted_alone"]
    assert logs[0]["reason"] in {"away", "no answer within 0.25 s"}


async def test_when_redis_is_back_gateways_count_together_again() -> None:
    shared = Shared(error=BrokerError("away"))
    made = rates(shared)
    await exhaust(made, ANN)
    shared.error = None
    await anyio.sleep(5)
    assert left(await made.charge(ANN, HERE, PAGE)) == 200
    assert len(shared.asked) == 2
