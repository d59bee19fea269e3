"""Workers share the spokes: each is watched by one of them, whatever becomes of the others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import anyio
import anyio.abc
import pytest
from structlog.testing import capture_logs

from fakes.clock import LoopClock
from fakes.fleet import FakeSource, FakeSpoke
from fakes.leases import FaultyLeases
from fakes.manifests import rollout
from fakes.projection import until
from rollgraph.adapters.memory import MemoryBroker, MemoryLeases
from rollgraph.adapters.memory.leases import LASTS
from rollgraph.core.refs import Kind
from rollgraph.feed.publishing import Publishing
from rollgraph.spokes.shift import BEAT, FREE_FOR, LAG, Shift
from rollgraph.spokes.supervisor import Supervisor

NAMES = ("east", "west", "north", "south")


class Worker:
    """One that runs, and can be ended well or badly."""

    def __init__(
        self, fleet: "Fleet", name: str, *spokes: FakeSpoke, lag: float, pins: dict[str, str]
    ) -> None:
        self.id = f"{name}.1"
        self.source = FakeSource(*(spoke.spoke() for spoke in spokes))
        self.leases = FaultyLeases(fleet.leases)
        self.shift = Shift(self.source, self.leases, self.id, pins, lag)
        publishing = Publishing(
            fleet.broker, LoopClock(), Random(1), holder=self.id, kept=self.shift.has
        )
        self._supervisor = Supervisor(
            self.shift, self.shift.over(publishing), clock=LoopClock(), rng=Random(1)
        )
        self._scope = anyio.CancelScope()

    @property
    def watched(self) -> set[str]:
        return set(self.shift.watched)

    async def run(self) -> None:
        with self._scope:
            await self._supervisor.run()

    def stop(self) -> None:
        """As SIGTERM does."""
        self._scope.cancel()

    def kill(self) -> None:
        """As SIGKILL does: nobody hears of it."""
        self.leases.away = True
        self._scope.cancel()


class Fleet:
    """Spokes with a rollout each, and the workers that watch them."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self.broker = MemoryBroker()
        self.leases = MemoryLeases(self.broker)
        self.spokes = {name: FakeSpoke(name) for name in NAMES}
        for spoke in self.spokes.values():
            spoke.cluster.put(Kind.ROLLOUT, rollout("web"))
        self._tasks = tasks

    def worker(
        self, name: str, *spokes: str, lag: float = LAG, pins: dict[str, str] | None = None
    ) -> Worker:
        """Starts one; without names, all spokes are in its kubeconfig."""
        known = (self.spokes[spoke] for spoke in spokes or NAMES)
        made = Worker(self, name, *known, lag=lag, pins=pins or {})
        self._tasks.start_soon(made.run)
        return made

    async def known(self, spoke: str) -> set[str]:
        """The rollouts in a spoke's feed."""
        found = await self.broker.snapshot(spoke)
        return {str(entry.subject) for entry in found.entries if entry.subject} if found else set()


@asynccontextmanager
async def a_fleet() -> AsyncIterator[Fleet]:
    async with anyio.create_task_group() as tasks:
        yield Fleet(tasks)
        tasks.cancel_scope.cancel()


async def test_one_worker_watches_all() -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann")
        await until(lambda: ann.watched == set(NAMES))
        assert ann.shift.joined
        await anyio.sleep(8)
        assert {name: await fleet.known(name) for name in NAMES} == {
            name: {"default/web"} for name in NAMES
        }


async def test_two_workers_share_them_evenly_and_none_is_watched_twice() -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann")
        await until(lambda: ann.watched == set(NAMES))
        await anyio.sleep(5)
        bob = fleet.worker("bob")
        await until(lambda: len(bob.watched) == 2)
        assert len(ann.watched) == 2
        assert ann.watched | bob.watched == set(NAMES)
        before = (ann.watched, bob.watched)
        await anyio.sleep(60)
        assert (ann.watched, bob.watched) == before


async def test_a_stopped_worker_hands_over_within_two_seconds_and_no_feed_ends() -> None:
    async with a_fleet() as fleet:
        ann, bob = fleet.worker("ann"), fleet.worker("bob")
        await until(lambda: len(ann.watched) == len(bob.watched) == 2)
        await anyio.sleep(10)
        before = await fleet.broker.positions()
        ann.stop()
        with anyio.fail_after(2):
            await until(lambda: bob.watched == set(NAMES))
        await anyio.sleep(10)
        after = await fleet.broker.positions()
        assert {name: at.epoch for name, at in after.items()} == {
            name: at.epoch for name, at in before.items()
        }
        log = await fleet.broker.log("east", before["east"])
        assert log is not None
        assert {entry.subject for entry in log} == {None}  # the rollouts are what they were


async def test_a_dead_worker_is_replaced_within_fifteen_seconds() -> None:
    async with a_fleet() as fleet:
        ann, bob = fleet.worker("ann"), fleet.worker("bob")
        await until(lambda: len(ann.watched) == len(bob.watched) == 2)
        ann.kill()
        with anyio.fail_after(LASTS + 2 * BEAT):
            await until(lambda: bob.watched == set(NAMES))


async def test_a_worker_that_is_cut_off_watches_on_and_gives_way_when_it_is_back() -> None:
    async with a_fleet() as fleet:
        ann, bob = fleet.worker("ann"), fleet.worker("bob")
        await until(lambda: len(ann.watched) == len(bob.watched) == 2)
        hers = ann.watched
        ann.leases.away = True
        await until(lambda: bob.watched == set(NAMES))
        assert ann.watched == hers
        ann.leases.away = False
        await until(lambda: len(ann.watched) == len(bob.watched) == 2)
        assert ann.watched | bob.watched == set(NAMES)


async def test_while_the_store_is_away_all_is_watched_on_and_said_once() -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann")
        await until(lambda: ann.watched == set(NAMES))
        with capture_logs() as logs:
            ann.leases.away = True
            await anyio.sleep(60)
            assert ann.watched == set(NAMES)
            ann.leases.away = False
            await anyio.sleep(60)
        assert ann.watched == set(NAMES)
        events = [line["event"] for line in logs]
        assert (events.count("leases_away"), events.count("leases_back")) == (1, 1)
        assert all(len(spoke.opened) == 1 for spoke in fleet.spokes.values())


async def test_a_store_that_has_lost_all_leaves_everybody_what_they_had() -> None:
    async with a_fleet() as fleet:
        ann, bob = fleet.worker("ann"), fleet.worker("bob")
        await until(lambda: len(ann.watched) == len(bob.watched) == 2)
        before = (ann.watched, bob.watched)
        for worker in (ann, bob):
            worker.leases.away = True
        await anyio.sleep(2 * LASTS)
        ann.leases.away = False
        await anyio.sleep(1.5 * BEAT)
        bob.leases.away = False
        for _ in range(40):
            await anyio.sleep(0.5)
            assert (ann.watched, bob.watched) == before


async def test_a_spoke_that_is_taken_out_of_the_source_has_no_feed_any_more() -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann")
        await until(lambda: ann.watched == set(NAMES))
        await anyio.sleep(8)
        ann.source.say(fleet.spokes["west"].spoke(), fleet.spokes["east"].spoke("2"))
        await until(lambda: ann.watched == {"east", "west"})
        await anyio.sleep(2)
        assert (await fleet.broker.positions()).keys() == {"east", "west"}
        assert len(fleet.spokes["east"].opened) == 2
        assert len(fleet.spokes["west"].opened) == 1


async def test_a_spoke_that_comes_is_taken_at_once() -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann", "east")
        await until(lambda: ann.watched == {"east"})
        ann.source.say(*(spoke.spoke() for spoke in fleet.spokes.values()))
        with anyio.fail_after(0.5):
            await until(lambda: ann.watched == set(NAMES))


async def test_a_pinned_spoke_is_that_workers_while_it_lives() -> None:
    async with a_fleet() as fleet:
        for pinned in ("ann", "bob"):
            pins = dict.fromkeys(("east", "west", "north"), pinned)
            ann, bob = fleet.worker("ann", pins=pins), fleet.worker("bob", pins=pins)
            chosen, other = (ann, bob) if pinned == "ann" else (bob, ann)
            await until(lambda chosen=chosen: chosen.watched >= {"east", "west", "north"})  # type: ignore[misc]
            await until(lambda other=other: other.watched == {"south"})  # type: ignore[misc]
            chosen.stop()
            await until(lambda other=other: other.watched == set(NAMES))  # type: ignore[misc]
            other.stop()
            await anyio.sleep(2 * BEAT)


async def test_a_spoke_that_its_own_worker_does_not_know_is_taken_by_one_that_does() -> None:
    async with a_fleet() as fleet:
        pins = dict.fromkeys(NAMES, "ann")
        ann, bob = fleet.worker("ann", "east", pins=pins), fleet.worker("bob", pins=pins)
        await until(lambda: ann.watched == {"east"})
        with anyio.fail_after(FREE_FOR + 3 * BEAT):
            await until(lambda: bob.watched == set(NAMES) - {"east"})


@pytest.mark.looptime(False)
@pytest.mark.parametrize("late", [0.3, 0.0])
async def test_a_worker_whose_loop_lags_does_not_say_that_it_lives(late: float) -> None:
    async with a_fleet() as fleet:
        ann = fleet.worker("ann", lag=0.2)
        await until(lambda: ann.watched == set(NAMES))
        loop = asyncio.get_running_loop()
        heard = ann.leases.calls
        with capture_logs() as logs:
            loop.call_soon(time.sleep, BEAT + late if late else 0.0)
            await anyio.sleep(BEAT * 1.2)
        lags = [line for line in logs if line["event"] == "worker_lags"]
        assert (len(lags), ann.leases.calls > heard) == ((1, False) if late else (0, True))
        await until(lambda: ann.leases.calls > heard)
        assert ann.watched == set(NAMES)
