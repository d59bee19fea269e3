"""Whoever tells a lot waits for those who read, and for nobody for long."""

import anyio
import pytest

from rollgraph.feed.turns import COMES_BACK, IN_ALL, LOOK_EVERY, PATIENCE, ROOM, Turns


class Crowd:
    """Readers who have no room until a time, or until they are given up."""

    def __init__(self, until: float = 0.0) -> None:
        self.until = until
        self.given_up = 0

    def crowded(self, news: int) -> bool:
        assert news == ROOM
        return anyio.current_time() < self.until

    def give_up(self, news: int) -> None:
        assert news == ROOM
        self.given_up += 1
        self.until = 0.0


async def test_who_has_room_is_not_waited_for() -> None:
    turns = Turns(Crowd())
    for _ in range(1_000):
        await turns.next()
    assert anyio.current_time() == 0


async def test_readers_have_had_a_turn_of_their_own_in_any_case() -> None:
    ran = []

    async def read() -> None:
        ran.append(True)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await Turns(Crowd()).next()
        assert ran


async def test_who_makes_room_in_time_is_waited_for() -> None:
    crowd = Crowd(until=PATIENCE - 0.1)
    await Turns(crowd).next()
    assert PATIENCE - 0.1 <= anyio.current_time() <= PATIENCE - 0.1 + LOOK_EVERY
    assert crowd.given_up == 0


async def test_who_does_not_is_given_up() -> None:
    crowd = Crowd(until=1e9)
    await Turns(crowd).next()
    assert anyio.current_time() == pytest.approx(PATIENCE)
    assert crowd.given_up == 1


async def test_slow_readers_one_after_the_other_cost_no_more_than_all_of_it() -> None:
    crowd = Crowd()
    turns = Turns(crowd)
    for _ in range(100):
        crowd.until = 1e9
        await turns.next()
    at_first = anyio.current_time()
    assert IN_ALL <= at_first < IN_ALL / (1 - COMES_BACK) + PATIENCE
    await anyio.sleep(2 / COMES_BACK)
    begun = anyio.current_time()
    for _ in range(100):
        crowd.until = 1e9
        await turns.next()
    assert 2 <= anyio.current_time() - begun < 3


async def test_those_who_tell_wait_in_line() -> None:
    crowd = Crowd(until=0.3)
    turns = Turns(crowd)
    told: list[int] = []

    async def tell(who: int) -> None:
        await turns.next()
        told.append(who)
        crowd.until = anyio.current_time() + 0.4  # what was told fills the room again

    async with anyio.create_task_group() as tasks:
        for who in range(4):
            tasks.start_soon(tell, who)
    assert told == [0, 1, 2, 3]
    assert crowd.given_up == 0, "each had the time that it takes, though the last waited for 1.5 s"


async def test_who_is_cancelled_leaves_the_line_to_the_next() -> None:
    crowd = Crowd(until=0.4)
    turns = Turns(crowd)
    with anyio.move_on_after(0.2) as cancelled:
        await turns.next()
    assert cancelled.cancelled_caught
    await turns.next()
    assert crowd.given_up == 0
