"""What becomes of feeds is heard by who counts it."""

from datetime import datetime
from random import Random

import anyio

from factories import NOON, rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import START, LoopClock
from fakes.projection import until
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.feed.entries import Entry, Position
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import RolloutRef
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import CHECK_EVERY, Follower
from rollgraph.feed.publisher import Publisher
from rollgraph.ports import FeedObserver


class Heard(FeedObserver):
    """Remembers what it was told; not how long anything took."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.arrivals: list[datetime] = []

    def published(self, facts: int, seconds: float) -> None:
        assert seconds >= 0
        self.story.append(f"published {facts}")

    def overflowed(self, cluster: str) -> None:
        self.story.append(f"overflowed {cluster}")

    def applied(self, facts: int, seconds: float) -> None:
        assert seconds >= 0
        self.story.append(f"applied {facts}")

    def arrived(self, cluster: str, at: datetime) -> None:
        self.arrivals.append(at)

    def torn(self, cluster: str) -> None:
        self.story.append(f"torn {cluster}")

    def healed(self, cluster: str, means: str) -> None:
        self.story.append(f"healed {cluster} by {means}")

    def coalesced(self, news: int) -> None:
        self.story.append(f"coalesced {news}")

    def dropped(self, news: int) -> None:
        self.story.append(f"dropped {news}")


async def test_facts_that_are_written_and_read_are_heard_of_and_so_is_a_gap() -> None:
    worker, gateway, broker = Heard(), Heard(), FaultyBroker()
    mirror = MemoryMirror(LoopClock())
    follower = Follower(broker, FanOut(mirror, mirror), observer=gateway)
    publisher = Publisher("east", broker, LoopClock(), Random(1), observer=worker)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower.run)
        tasks.start_soon(publisher.run)
        publisher.put_rollout(rollout_view("east/shop/checkout"))
        await until(lambda: mirror.rollout(RolloutRef("east", "shop", "checkout")) is not None)
        await until(lambda: not follower.behind)
        # What came as a snapshot is as old as it may be.
        assert gateway.arrivals == []
        publisher.put_rollout(rollout_view("east/shop/checkout", percent=1))
        await until(lambda: "applied 1" in gateway.story[2:])
        (at,) = gateway.arrivals
        assert START <= at <= LoopClock().now()
        broker.loss = 1.0
        publisher.put_rollout(rollout_view("east/shop/checkout", percent=50))
        await until(lambda: "torn east" in gateway.story)
        await anyio.sleep(CHECK_EVERY)
        tasks.cancel_scope.cancel()
    assert worker.story == ["published 1"] * 3
    assert gateway.story == [
        "applied 1",
        "healed east by snapshot",
        "applied 1",
        "torn east",
        "applied 1",
        "healed east by log",
    ]
    assert follower.behind == {}


async def test_for_how_long_something_is_missing_is_known() -> None:
    broker, mirror = FaultyBroker(), MemoryMirror(LoopClock())
    follower = Follower(broker, FanOut(mirror, mirror))
    publisher = Publisher("east", broker, LoopClock(), Random(1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower.run)
        tasks.start_soon(publisher.run)
        publisher.put_rollout(rollout_view("east/shop/checkout"))
        await until(lambda: mirror.version == 1 and not follower.behind)
        broker.loss = 1.0
        publisher.put_rollout(rollout_view("east/shop/checkout", percent=50))
        await publisher.written()
        broker.loss = 0.0
        publisher.put_rollout(rollout_view("east/shop/checkout", percent=51))
        await publisher.written()
        await until(lambda: "east" in follower.behind)
        broker.away = True
        await anyio.sleep(3)
        assert 3 <= follower.behind["east"] < 3.5
        broker.away = False
        await until(lambda: not follower.behind)
        tasks.cancel_scope.cancel()


async def test_a_publisher_that_cannot_keep_up_says_so_once() -> None:
    heard, broker = Heard(), FaultyBroker()
    publisher = Publisher("east", broker, LoopClock(), Random(1), most=2, observer=heard)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(publisher.run)
        await until(lambda: broker.claims == 1)
        await anyio.sleep(1)
        for percent in range(10):
            publisher.put_rollout(rollout_view("east/shop/checkout", percent=percent))
        assert publisher.waiting == 2
        assert heard.story == ["overflowed east"]
        await until(lambda: heard.story[-1] == "published 1")
        assert publisher.waiting == 0
        tasks.cancel_scope.cancel()


def test_what_a_slow_listener_misses_is_counted() -> None:
    heard, mirror = Heard(), MemoryMirror(LoopClock())
    fanout = FanOut(mirror, mirror, observer=heard)
    with fanout.subscribe(lambda _: True, most=4):
        for seq, name in enumerate("aaaaabcdefg", start=1):
            view = rollout_view(f"east/shop/{name}", percent=seq)
            entry = Entry(seq, view.ref.key, view, NOON)
            fanout.take("east", Step(entry, Position("e", seq)))
            assert fanout.waiting <= 4
    # Four of the same become one; four others are too many for a listener so slow.
    assert heard.story == ["coalesced 3", "dropped 4", "dropped 3"]
    assert fanout.waiting == 0
