"""What a worker learns arrives at a gateway, whatever happens to the broker in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random

import anyio
import pytest
from structlog.testing import capture_logs

from factories import NOON, rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import LoopClock
from fakes.projection import until
from fakes.readers import BriskReaders
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.feed.entries import Subject, Value
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import Kind, ObjectKey, RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.feed.follower import CHECK_EVERY, Follower
from rollgraph.feed.publisher import Publisher
from rollgraph.feed.publishing import Publishing

CHECKOUT = RolloutRef("east", "shop", "checkout")
CART = RolloutRef("east", "shop", "cart")


class Reader(BriskReaders):
    """A sink that remembers."""

    def __init__(self) -> None:
        self.known: dict[str, dict[Subject, Value]] = {}
        self.story: list[Step] = []

    def take(self, cluster: str, step: Step) -> None:
        self.story.append(step)
        facts = self.known.setdefault(cluster, {})
        if step.entry.value is None:
            facts.pop(step.entry.subject, None)
        else:
            facts[step.entry.subject] = step.entry.value

    def forget(self, cluster: str) -> None:
        self.known.pop(cluster, None)

    def percents(self, ref: RolloutRef) -> list[int]:
        """What was told of a rollout, in order."""
        values = [step.entry.value for step in self.story if step.entry.subject == ref.key]
        return [value.progress.percent for value in values if isinstance(value, RolloutView)]


def east(*, synced: bool = True) -> ClusterView:
    status = ConnectionStatus.CONNECTED if synced else ConnectionStatus.SYNCING
    watch = WatchView(Kind.ROLLOUT, "", status, NOON, synced=synced)
    return ClusterView("east", status, NOON, watches=(watch,))


def view(ref: RolloutRef = CHECKOUT, percent: int = 0) -> RolloutView:
    return rollout_view(str(ref), percent=percent)


class Ways:
    """A broker with a worker and a gateway, and what the gateway has read."""

    def __init__(self, broker: FaultyBroker) -> None:
        self.broker = broker
        self.reader = Reader()
        self.worker = self.new_worker()

    def new_worker(self) -> Publisher:
        return Publisher("east", self.broker, LoopClock(), Random(1))

    def known(self) -> dict[Subject, Value]:
        return self.reader.known.get("east", {})


@asynccontextmanager
async def running(broker: FaultyBroker | None = None) -> AsyncIterator[Ways]:
    ways = Ways(broker if broker is not None else FaultyBroker())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Follower(ways.broker, ways.reader).run)
        tasks.start_soon(ways.worker.run)
        yield ways
        tasks.cancel_scope.cancel()


async def test_every_fact_arrives_once_and_in_order() -> None:
    async with running() as ways:
        ways.worker.put_rollout(view())
        await until(lambda: bool(ways.known()))
        for percent in range(1, 100):
            ways.worker.put_rollout(view(percent=percent))
            if percent % 7 == 0:
                await anyio.sleep(0.01)
        await until(lambda: ways.known().get(CHECKOUT.key) == view(percent=99))
        assert ways.reader.percents(CHECKOUT) == list(range(100))
        ways.worker.drop_rollout(CHECKOUT)
        await until(lambda: ways.known() == {})


async def test_what_is_lost_on_the_way_is_read_from_the_log() -> None:
    async with running(FaultyBroker(Random(3))) as ways:
        ways.worker.put_rollout(view())
        await until(lambda: bool(ways.known()))
        ways.broker.loss = 0.5
        for percent in range(1, 100):
            ways.worker.put_rollout(view(percent=percent))
            await anyio.sleep(0.02)
        await until(lambda: ways.known().get(CHECKOUT.key) == view(percent=99))
        assert ways.reader.percents(CHECKOUT) == list(range(100))


async def test_a_last_message_that_is_lost_is_found_by_comparing() -> None:
    async with running() as ways:
        ways.worker.put_rollout(view())
        await until(lambda: bool(ways.known()))
        ways.broker.loss = 1.0
        ways.worker.put_rollout(view(percent=50))
        with anyio.fail_after(CHECK_EVERY * 2):
            await until(lambda: ways.known().get(CHECKOUT.key) == view(percent=50))


async def test_where_the_log_does_not_reach_a_snapshot_tells_what_is() -> None:
    async with running(FaultyBroker(log=5)) as ways:
        ways.worker.put_rollout(view())
        ways.worker.put_rollout(view(CART))
        await until(lambda: len(ways.known()) == 2)
        ways.broker.loss = 1.0
        ways.worker.drop_rollout(CART)
        for percent in range(1, 50):
            ways.worker.put_rollout(view(percent=percent))
        await until(lambda: ways.known() == {CHECKOUT.key: view(percent=49)})
        assert not ways.reader.story[-1].whole
        assert ways.reader.percents(CHECKOUT) == [0, 49]


async def test_while_the_broker_is_away_nothing_that_was_learned_is_lost() -> None:
    async with running() as ways:
        ways.worker.put_rollout(view())
        ways.worker.put_rollout(view(CART))
        await until(lambda: len(ways.known()) == 2)
        with capture_logs() as logs:
            ways.broker.away = True
            for percent in range(1, 20):
                ways.worker.put_rollout(view(percent=percent))
                await anyio.sleep(1)
            ways.worker.drop_rollout(CART)
            ways.broker.away = False
            await until(lambda: ways.known() == {CHECKOUT.key: view(percent=19)})
        assert {entry["event"] for entry in logs} == {"feed_not_written", "feeds_not_compared"}
        # How many attempts it takes: doubling, 5 s and as much again by chance at most.
        assert 3 < len([entry for entry in logs if entry["event"] == "feed_not_written"]) < 12


async def test_a_store_that_has_lost_all_is_filled_again() -> None:
    async with running() as ways:
        ways.worker.put_cluster(east())
        ways.worker.put_rollout(view())
        await until(lambda: len(ways.known()) == 2)
        ways.broker.lose_all()
        ways.worker.put_rollout(view(CART))
        # The reader still listens to what is gone: it finds out by comparing.
        await anyio.sleep(CHECK_EVERY * 2)
        assert set(ways.known()) == {None, CHECKOUT.key, CART.key}


async def test_a_next_worker_writes_only_what_differs() -> None:
    async with running() as ways:
        ways.worker.put_cluster(east())
        for ref in (CHECKOUT, CART):
            ways.worker.put_rollout(view(ref))
        await until(lambda: len(ways.known()) == 3)
        told = len(ways.reader.story)
        async with anyio.create_task_group() as tasks:
            successor = ways.new_worker()
            tasks.start_soon(successor.run)
            successor.put_cluster(east(synced=False))
            await anyio.sleep(1)
            assert set(ways.known()) == {None, CHECKOUT.key, CART.key}, "not read is not gone"
            successor.put_rollout(view(CHECKOUT))
            successor.put_cluster(east())
            await until(lambda: CART.key not in ways.known())
            tasks.cancel_scope.cancel()
        subjects = [step.entry.subject for step in ways.reader.story[told:]]
        assert CHECKOUT.key not in subjects, "nothing of it has changed"


async def test_more_than_may_wait_is_compared_instead() -> None:
    broker = FaultyBroker()
    reader = Reader()
    worker = Publisher("east", broker, LoopClock(), Random(1), most=10)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Follower(broker, reader).run)
        tasks.start_soon(worker.run)
        await until(lambda: broker.claims == 1)
        with capture_logs() as logs:
            for percent in range(50):
                worker.put_rollout(view(percent=percent))
        assert [entry["event"] for entry in logs] == ["feed_too_slow"]
        await until(lambda: reader.known == {"east": {CHECKOUT.key: view(percent=49)}})
        percents = reader.percents(CHECKOUT)
        assert all(before < after for before, after in pairwise(percents))
        tasks.cancel_scope.cancel()


async def test_a_spoke_that_was_dropped_is_forgotten() -> None:
    async with running() as ways:
        ways.worker.put_rollout(view())
        await until(lambda: bool(ways.known()))
        await ways.broker.drop("west")
        await ways.broker.drop("east")
        await until(lambda: "east" not in ways.reader.known)


async def test_a_spoke_that_is_taken_away_ends_its_feed_though_the_broker_is_away() -> None:
    broker = FaultyBroker()
    publishing = Publishing(broker, LoopClock(), Random(1))
    with capture_logs() as logs:
        async with publishing("east") as projection:
            projection.put_rollout(view())
            await until(lambda: broker.claims == 1)
            projection.drop_cluster("east")
            broker.away = True
            asyncio.get_running_loop().call_later(12, broker.come_back)
        assert await broker.positions() == {}
    assert {entry["event"] for entry in logs} <= {"feed_not_ended", "feed_not_written"}


async def test_a_worker_that_ends_leaves_what_it_wrote_to_the_next() -> None:
    broker = FaultyBroker()
    async with Publishing(broker, LoopClock())("east") as projection:
        projection.put_rollout(view())
        await until(lambda: broker.claims == 1)
        await anyio.sleep(1)
    _, snapshot = await broker.claim("east")
    assert [entry.value for entry in snapshot.entries] == [view()]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_the_gateway_ends_with_what_the_worker_knows(seed: int) -> None:
    rng = Random(seed)
    wanted: dict[Subject, Value] = {None: east()}
    async with running(FaultyBroker(rng, log=20)) as ways:
        ways.worker.put_cluster(east())
        for _ in range(300):
            ways.broker.away = rng.random() < 0.1
            ways.broker.loss = rng.choice([0.0, 0.0, 0.3, 1.0])
            key = ObjectKey("shop", f"shop-{rng.randrange(8)}")
            ref = RolloutRef("east", key.namespace, key.name)
            if rng.random() < 0.2:
                wanted.pop(key, None)
                ways.worker.drop_rollout(ref)
            else:
                wanted[key] = view(ref, rng.randrange(100))
                ways.worker.put_rollout(view(ref, wanted[key].progress.percent))  # type: ignore[union-attr]
            await anyio.sleep(rng.random() * 0.2)
        ways.broker.away, ways.broker.loss = False, 0.0
        with anyio.fail_after(60):
            await until(lambda: ways.known() == wanted)
        seqs = [step.position for step in ways.reader.story if step.whole]
        for before, after in pairwise(seqs):
            assert before.epoch != after.epoch or before.seq < after.seq


async def test_what_a_broker_without_a_disk_has_lost_stays_readable_until_it_is_told_again() -> (
    None
):
    """Not a rollout goes away in between: neither at once nor while a large spoke is written."""
    many = [view(RolloutRef("east", "shop", f"shop-{n}")) for n in range(450)]
    broker = FaultyBroker()
    reader = Reader()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Follower(broker, reader, lambda name: name == "east").run)
        worker = Publisher("east", broker, LoopClock(), Random(1))
        tasks.start_soon(worker.run)
        worker.put_cluster(east())
        for each in many:
            worker.put_rollout(each)
        await until(lambda: len(reader.known.get("east", {})) == 451)
        told = len(reader.story)
        broker.away = True
        broker.lose_all()
        await anyio.sleep(20)
        broker.come_back()
        await anyio.sleep(2 * CHECK_EVERY)
        worker.put_rollout(view(percent=7))
        await until(lambda: reader.known["east"].get(CHECKOUT.key) == view(percent=7))
        assert len(reader.known["east"]) == 452
        assert all(step.entry.value is not None for step in reader.story[told:])
        tasks.cancel_scope.cancel()
