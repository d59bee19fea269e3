"""A spoke that went while nobody watched it is not shown for ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from factories import NOON, rollout_view
from fakes.leases import FaultyLeases
from rollgraph.adapters.memory import MemoryBroker, MemoryLeases
from rollgraph.core.feed.entries import Fact
from rollgraph.core.refs import ObjectKey
from rollgraph.feed.clearing import EVERY, Clearing

FACT = Fact(ObjectKey("shop", "web"), rollout_view("east/shop/web"), NOON)


class Site:
    """Feeds of three spokes, of which a worker's source has one, and another is another's."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.leases = FaultyLeases(MemoryLeases(self.broker, lasts=1.5 * EVERY))
        self.known = {"east"}

    async def write(self, *names: str) -> None:
        for name in names:
            feed, _ = await self.broker.claim(name)
            await feed.append([FACT])

    async def feeds(self) -> set[str]:
        return set(await self.broker.positions())

    @asynccontextmanager
    async def cleared(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Clearing(self.broker, self.leases, self.known.__contains__).run)
            yield
            tasks.cancel_scope.cancel()


@pytest.fixture
async def site() -> Site:
    made = Site()
    await made.write("east", "gone", "others")
    return made


async def test_what_nobody_has_is_ended_and_what_others_have_is_not(site: Site) -> None:
    async with site.cleared():
        for _ in range(5):
            assert "others" in await site.feeds()
            await site.leases.hold("bob.1", ["others"], ["others"])
            await anyio.sleep(EVERY * 0.6)
        assert await site.feeds() == {"east", "others"}


async def test_what_is_known_by_the_second_look_stays(site: Site) -> None:
    async with site.cleared():
        await anyio.sleep(EVERY * 1.5)
        site.known |= {"gone", "others"}
        await anyio.sleep(EVERY * 5)
        assert await site.feeds() == {"east", "gone", "others"}


async def test_a_store_that_is_away_is_asked_again(site: Site) -> None:
    site.leases.away = True
    async with site.cleared():
        await anyio.sleep(EVERY * 3)
        assert await site.feeds() == {"east", "gone", "others"}
        site.leases.away = False
        await anyio.sleep(EVERY * 3)
        assert await site.feeds() == {"east"}
