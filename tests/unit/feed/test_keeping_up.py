"""Who keeps up is told all, however much comes at once; who does not holds nobody up."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import anyio
from anyio.abc import TaskGroup

from factories import rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import LoopClock
from fakes.projection import until
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import News
from rollgraph.core.refs import RolloutRef
from rollgraph.feed import follower as following
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import CHECK_EVERY, Follower
from rollgraph.feed.publisher import PART as WRITTEN_AT_ONCE
from rollgraph.feed.publisher import Publisher
from rollgraph.feed.subscription import Subscription
from rollgraph.feed.turns import IN_ALL, PATIENCE

NAMES = ("cart", "checkout", "search")
MANY = 1_000


class Reader:
    """One who takes news, each in so many seconds; the versions that they were told, in order."""

    def __init__(self, takes: float) -> None:
        self.takes = takes
        self.told: dict[str, list[int]] = {}
        self.holes = 0
        self.frontiers: list[Mapping[str, Position]] = []

    async def read(self, subscription: Subscription, most: int = 1 << 30) -> None:
        with subscription:
            async for news in subscription:
                self._take(news)
                if len(self.frontiers) == most:
                    return
                await anyio.sleep(self.takes)

    def _take(self, news: News | None) -> None:
        self.holes += news is None or not news.whole
        if news is not None:
            self.told.setdefault(news.cluster, []).extend(versions([news]))
            assert news.frontier is not None
            self.frontiers.append(news.frontier.positions)


class Site:
    """A gateway with spokes of few rollouts that change a lot."""

    def __init__(self, tasks: TaskGroup, broker: FaultyBroker) -> None:
        self.broker = broker
        self.mirror = MemoryMirror(LoopClock())
        self.fanout = FanOut(self.mirror, self.mirror)
        self.follower = Follower(broker, self.fanout)
        self.written: dict[str, int] = {}
        self._tasks = tasks
        self._workers: dict[str, Publisher] = {}
        tasks.start_soon(self.follower.run)

    def reader(self, takes: float = 0.002) -> Reader:
        """Somebody reads from now on."""
        made = Reader(takes)
        self._tasks.start_soon(made.read, self.fanout.subscribe(lambda _: True))
        return made

    def change(self, times: int, cluster: str = "east") -> None:
        """Rollouts get so many versions at once."""
        worker = self._workers.get(cluster)
        if worker is None:
            worker = Publisher(cluster, self.broker, LoopClock(), Random(1))
            self._workers[cluster] = worker
            self._tasks.start_soon(worker.run)
        for _ in range(times):
            number = self.written[cluster] = self.written.get(cluster, 0) + 1
            ref = f"{cluster}/shop/{NAMES[number % len(NAMES)]}"
            worker.put_rollout(rollout_view(ref, percent=number))

    async def begin(self, *clusters: str) -> None:
        """Spokes are known."""
        for cluster in clusters:
            self.change(1, cluster)
            await until(partial(self.told, cluster))

    def told(self, cluster: str = "east") -> bool:
        """Whether the model has all that was written."""
        last = self.written[cluster]
        ref = RolloutRef(cluster, "shop", NAMES[last % len(NAMES)])
        view = self.mirror.rollout(ref)
        return (
            view is not None
            and view.progress.percent == last
            and cluster not in self.follower.behind
        )

    async def lose(self, times: int, cluster: str = "east") -> None:
        """So many versions are written of which no message comes."""
        self.broker.loss = 1.0
        self.change(times, cluster)
        await self._workers[cluster].written()
        self.broker.loss = 0.0


@asynccontextmanager
async def site(*clusters: str, log: int = 5 * MANY) -> AsyncIterator[Site]:
    async with anyio.create_task_group() as tasks:
        made = Site(tasks, FaultyBroker(log=log))
        await made.begin(*clusters or ("east",))
        yield made
        tasks.cancel_scope.cancel()


def versions(news: Iterable[News]) -> list[int]:
    views = [item.views[1] for item in news]
    return [view.progress.percent for view in views if view is not None]


async def within(seconds: float, true: Callable[[], bool]) -> None:
    with anyio.fail_after(seconds):
        await until(true, every=0.01)


async def test_a_hole_of_a_thousand_facts_is_told_to_the_last_and_in_order() -> None:
    async with site() as made:
        brisk = made.reader()
        await made.lose(MANY)
        await within(CHECK_EVERY + 5, lambda: len(brisk.told.get("east", ())) >= MANY)
        assert brisk.told["east"] == [*range(2, MANY + 2)]
        assert brisk.holes == 0


async def test_so_are_a_thousand_that_come_at_once() -> None:
    async with site() as made:
        brisk = made.reader()
        made.change(MANY)
        await within(5, lambda: len(brisk.told.get("east", ())) >= MANY)
        assert brisk.told["east"] == [*range(2, MANY + 2)]
        assert brisk.holes == 0


async def test_more_than_may_wait_here_is_read_from_the_log() -> None:
    async with site() as made:
        brisk = made.reader(takes=0.001)
        made.change(4 * MANY)
        lane = made.follower._lanes["east"]
        most = 0
        while not made.told():
            most = max(most, lane.kept)
            await anyio.sleep(0.01)
        await until(lambda: len(brisk.told["east"]) >= 4 * MANY)
        assert brisk.told["east"] == [*range(2, 4 * MANY + 2)]
        assert following.KEPT // 2 < most <= following.KEPT + WRITTEN_AT_ONCE


async def test_what_comes_while_a_hole_is_filled_comes_after_what_fills_it() -> None:
    async with site() as made:
        brisk = made.reader(takes=0.003)
        await made.lose(MANY)
        for _ in range(100):
            made.change(3)
            await anyio.sleep(0.05)
        await within(CHECK_EVERY + 5, lambda: len(brisk.told.get("east", ())) >= MANY + 300)
        assert brisk.told["east"] == [*range(2, MANY + 302)]
        assert brisk.holes == 0


async def test_who_is_slow_loses_the_story_and_costs_the_others_a_moment() -> None:
    async with site() as made:
        brisk, slow, dead = made.reader(), made.reader(takes=0.1), made.reader(takes=1e6)
        began = anyio.current_time()
        made.change(MANY)
        await until(lambda: len(brisk.told.get("east", ())) >= MANY, every=0.01)
        assert brisk.told["east"] == [*range(2, MANY + 2)]
        brisk_alone = MANY * brisk.takes
        assert anyio.current_time() - began < brisk_alone + 2 * PATIENCE
        await until(lambda: slow.told["east"][-1] == MANY + 1)
        assert slow.holes > 0
        assert len(slow.told["east"]) < MANY / 2
        assert dead.holes == 0


async def test_readers_of_whom_all_are_slow_hold_what_is_up_for_seconds_at_the_most() -> None:
    async with site() as made:
        for _ in range(10):
            made.reader(takes=0.02)
        for _ in range(10):  # as fast as they are written, for half a minute
            made.change(MANY)
            await within(IN_ALL + 1, made.told)
            await anyio.sleep(3)


async def test_what_is_told_of_one_spoke_holds_no_other_up() -> None:
    async with site("east", "west") as made:
        crowd = made.reader(takes=0.003)
        made.change(MANY, "east")
        while not made.told("east"):
            made.change(1, "west")
            await within(0.1, lambda: made.told("west"))
        assert made.written["west"] > 100
        await until(lambda: len(crowd.told["west"]) + 1 == made.written["west"])
        assert crowd.told["west"] == [*range(2, made.written["west"] + 1)]
        assert crowd.told["east"] == [*range(2, MANY + 2)]
        assert crowd.holes == 0


async def test_something_is_missing_until_the_last_is_told() -> None:
    async with site() as made:
        brisk = made.reader()
        await made.lose(MANY)
        await until(lambda: bool(made.follower.behind), every=0.01)
        while made.follower.behind:
            behind = made.follower.behind["east"]
            assert made.fanout.positions["east"].seq <= MANY
            await anyio.sleep(0.001)
        assert behind > 0.5, "that is what it takes the reader"
        assert made.fanout.positions["east"].seq == MANY + 1
        await until(lambda: brisk.told["east"][-1] == MANY + 1)


async def test_a_spoke_that_goes_while_it_is_told_of_does_not_come_back() -> None:
    async with site("east", "west") as made:
        made.reader(takes=0.005)
        await made.lose(MANY)
        await until(lambda: made.fanout.positions["east"].seq > 100, every=0.01)
        await made.broker.drop("east")
        await until(lambda: "east" not in made.fanout.positions, every=0.01)
        await anyio.sleep(3 * CHECK_EVERY)
        assert {view.ref.cluster for view in made.mirror.matching(None)} == {"west"}
        assert made.follower.behind == {}


async def test_who_begins_or_comes_back_in_between_is_told_the_rest() -> None:
    async with site() as made:
        made.reader(takes=0.005)
        await made.lose(MANY)
        await until(lambda: made.fanout.positions["east"].seq > 100, every=0.01)
        begun = made.fanout.frontier.positions["east"].seq
        late = made.reader()
        leaver = Reader(0.002)
        await leaver.read(made.fanout.subscribe(lambda _: True), most=100)
        back = made.fanout.since(leaver.frontiers[-1])
        assert back is not None
        again = made.reader()
        await until(lambda: again.told.get("east", [0])[-1] == MANY + 1)
        assert late.told["east"] == [*range(begun + 1, MANY + 2)]
        story = [*leaver.told["east"], *versions(back), *again.told["east"]]
        assert story == [*range(story[0], MANY + 2)]


async def test_a_gateway_that_stops_in_between_stops_at_once() -> None:
    async with site() as made:
        brisk = made.reader(takes=0.005)
        await made.lose(MANY)
        await until(lambda: made.fanout.positions["east"].seq > 300, every=0.01)
        stopped = anyio.current_time()
    assert anyio.current_time() == stopped
    assert 50 < len(brisk.told["east"]) < MANY


async def test_a_snapshot_is_told_whole_also_while_readers_are_behind() -> None:
    async with site(log=100) as made:
        brisk = made.reader(takes=0.005)
        made.change(400)
        await until(lambda: made.fanout.positions["east"].seq > 100, every=0.01)
        await made.lose(MANY)
        await within(CHECK_EVERY + 5, made.told)
        await until(lambda: brisk.told["east"][-1] == MANY + 401)
        story = brisk.told["east"]
        assert story == sorted(story)
        assert story[:400] == [*range(2, 402)]
