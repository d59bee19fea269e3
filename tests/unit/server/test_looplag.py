"""A loop that is late shows, and ends the process only if it is stuck."""

import json

import anyio
import pytest
from starlette.requests import Request

from rollgraph.server.health import Life
from rollgraph.server.looplag import EVERY, REMEMBERED, LoopLag

STUCK_AFTER = 10.0


class Blocked:
    """A clock that goes with the loop's virtual time, and on its own while something blocks."""

    def __init__(self) -> None:
        self.blocked = 0.0

    def __call__(self) -> float:
        return anyio.current_time() + self.blocked


async def status(life: Life, path: str = "livez") -> tuple[int, dict[str, object]]:
    answer = await getattr(life, path)(Request({"type": "http"}))
    return answer.status_code, json.loads(bytes(answer.body))


async def test_a_loop_that_turns_is_not_late() -> None:
    told: list[float] = []
    lag = LoopLag(told.append, Blocked())
    with anyio.move_on_after(10.1):
        await lag.run()
    assert len(told) == lag.turns == 10 / EVERY
    assert max(told) == pytest.approx(0)
    assert await status(Life(lag, STUCK_AFTER)) == (200, {"status": "alive"})


async def test_a_loop_that_was_blocked_is_told_of_once_and_remembered_for_a_while() -> None:
    told: list[float] = []
    clock = Blocked()
    lag = LoopLag(told.append, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lag.run)
        await anyio.sleep(1.1)
        clock.blocked = 3.0
        await anyio.sleep(0.5)
        assert [late for late in told if late > 0.001] == [pytest.approx(3.0)]
        assert lag.worst == pytest.approx(3.0)
        await anyio.sleep(REMEMBERED)
        assert lag.worst == pytest.approx(0.0)
        tasks.cancel_scope.cancel()


async def test_livez_fails_once_the_loop_was_stuck_and_mends_again() -> None:
    clock = Blocked()
    lag = LoopLag(clock=clock)
    life = Life(lag, STUCK_AFTER)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lag.run)
        await anyio.sleep(1.1)
        clock.blocked = 9.0
        assert (await status(life))[0] == 200
        clock.blocked = 11.0
        # It is asked before the loop has turned to the measurement that is due.
        code, body = await status(life)
        assert (code, body["status"]) == (503, "stuck")
        await anyio.sleep(REMEMBERED / 2)
        assert (await status(life))[0] == 503
        await anyio.sleep(REMEMBERED)
        assert (await status(life))[0] == 200
        tasks.cancel_scope.cancel()


async def test_startupz_waits_for_the_first_turn() -> None:
    lag = LoopLag(clock=Blocked())
    life = Life(lag, STUCK_AFTER)
    assert await status(life, "startupz") == (503, {"status": "starting"})
    with anyio.move_on_after(EVERY * 1.5):
        await lag.run()
    assert await status(life, "startupz") == (200, {"status": "started"})
