"""Listeners hear of all that they want, in order; slow ones keep the state, not the story."""

from datetime import timedelta

import anyio
import pytest

from factories import NOON, rollout_view
from fakes.clock import LoopClock
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.changes import Added, Deleted, PhaseChanged
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.feed.entries import Entry, Position, Value
from rollgraph.core.feed.news import News
from rollgraph.core.feed.replica import Step
from rollgraph.core.phase import Phase
from rollgraph.core.refs import ObjectKey, RolloutRef
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.subscription import Subscription


class Feeds:
    """A fan-out, and the feeds that it reads."""

    def __init__(self, history: int = 100) -> None:
        self.mirror = MemoryMirror(LoopClock())
        self.fanout = FanOut(self.mirror, self.mirror, history)
        self._seqs: dict[str, int] = {}

    def take(self, ref: str, value: Value, *, whole: bool = True, epoch: str = "a") -> None:
        cluster, _, rest = ref.partition("/")
        namespace, _, name = rest.partition("/")
        seq = self._seqs[cluster] = self._seqs.get(cluster, 0) + 1
        subject = ObjectKey(namespace, name) if rest else None
        entry = Entry(seq, subject, value, NOON + timedelta(seconds=sum(self._seqs.values())))
        self.fanout.take(cluster, Step(entry, Position(epoch, seq), whole))

    def rollout(self, ref: str, phase: Phase = Phase.HEALTHY, *, whole: bool = True) -> None:
        self.take(ref, rollout_view(ref, phase=phase), whole=whole)


@pytest.fixture
def feeds() -> Feeds:
    return Feeds()


def everything(_: News) -> bool:
    return True


async def heard(subscription: Subscription, count: int) -> list[News | None]:
    with anyio.fail_after(1):
        return [await anext(subscription) for _ in range(count)]


def told(news: list[News | None]) -> list[str]:
    return [f"{item.ref} {item.position.seq}" if item else "look anew" for item in news]


async def test_a_change_is_in_the_model_before_anybody_hears_of_it(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.rollout("east/shop/checkout", Phase.PROGRESSING)
        feeds.rollout("east/shop/checkout", Phase.HEALTHY)
        feeds.take("east/shop/checkout", None)
        first, second, third = await heard(subscription, 3)
    assert first
    assert second
    assert third
    assert first.changes == (Added(),)
    assert second.changes == (PhaseChanged(Phase.PROGRESSING, Phase.HEALTHY),)
    assert third.changes == (Deleted(),)
    assert feeds.mirror.rollout(RolloutRef("east", "shop", "checkout")) is None


async def test_what_is_known_of_a_spoke_is_news_too(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything) as subscription:
        view = ClusterView("east", ConnectionStatus.CONNECTED, NOON)
        feeds.take("east", view)
        (news,) = await heard(subscription, 1)
    assert news
    assert (news.ref, news.clusters, news.changes) == (None, (None, view), ())
    assert feeds.mirror.cluster("east") == view


async def test_a_listener_with_topics_is_asked_about_no_other_news(feeds: Feeds) -> None:
    asked: list[str] = []

    def wanted(news: News) -> bool:
        asked.append(f"{news.ref}")
        return True

    topics = (("name", "checkout"), ("name", "search"))
    with feeds.fanout.subscribe(wanted, topics=topics) as subscription:
        for name in ("checkout", "other", "search"):
            feeds.rollout(f"east/shop/{name}")
        assert told(await heard(subscription, 2)) == ["east/shop/checkout 1", "east/shop/search 3"]
    feeds.rollout("east/shop/checkout", Phase.HEALTHY)
    assert asked == ["east/shop/checkout", "east/shop/search"]


async def test_a_listener_hears_only_what_it_wants(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(lambda news: news.cluster == "west") as subscription:
        feeds.rollout("east/shop/checkout")
        feeds.rollout("west/shop/checkout")
        assert told(await heard(subscription, 1)) == ["west/shop/checkout 1"]


async def test_who_has_ended_is_not_told_any_more(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.rollout("east/shop/checkout")
    feeds.rollout("east/shop/checkout", Phase.DEGRADED)
    with pytest.raises(TimeoutError):
        await heard(subscription, 1)


async def test_a_slow_listener_loses_the_story_and_keeps_the_state(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything, most=10) as subscription:
        for phase in [Phase.PROGRESSING, Phase.PAUSED] * 6:
            feeds.rollout("east/shop/checkout", phase)
        feeds.rollout("east/shop/cart")
        news = await heard(subscription, 4)
    assert told(news)[-1] == "east/shop/cart 13"
    merged = news[0]
    assert merged
    assert (merged.before, merged.whole) == (None, False)
    assert merged.position.seq == 10
    story = [item.views for item in news if item and item.subject == merged.subject]
    assert [after.phase for _, after in story if after] == [
        Phase.PAUSED,
        Phase.PROGRESSING,
        Phase.PAUSED,
    ]


async def test_a_listener_that_cannot_even_keep_the_state_looks_anew(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything, most=10) as subscription:
        for number in range(11):
            feeds.rollout(f"east/shop/shop-{number}")
        assert told(await heard(subscription, 2)) == ["look anew", "east/shop/shop-10 11"]


async def test_it_is_told_once_however_much_more_was_dropped(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything, most=10) as subscription:
        for number in range(100):
            feeds.rollout(f"east/shop/shop-{number}")
        first, *rest = told(await heard(subscription, 2))
        assert first == "look anew"
        assert "look anew" not in rest


async def test_who_was_away_hears_what_they_missed(feeds: Feeds) -> None:
    feeds.rollout("east/shop/checkout", Phase.PROGRESSING)
    feeds.rollout("west/shop/checkout", Phase.PROGRESSING)
    cursor = feeds.fanout.positions
    feeds.rollout("west/shop/checkout", Phase.HEALTHY)
    feeds.rollout("east/shop/checkout", Phase.HEALTHY)
    missed = feeds.fanout.since(cursor)
    assert missed is not None
    assert told([*missed]) == ["west/shop/checkout 2", "east/shop/checkout 2"]
    assert feeds.fanout.since(feeds.fanout.positions) == []


@pytest.mark.parametrize("reason", ["too long ago", "another epoch", "a hole", "no such spoke"])
async def test_who_cannot_be_told_all_is_told_so(reason: str) -> None:
    feeds = Feeds(history=3)
    feeds.rollout("east/shop/checkout")
    cursor = feeds.fanout.positions
    if reason == "too long ago":
        for phase in [Phase.PROGRESSING, Phase.HEALTHY] * 2:
            feeds.rollout("east/shop/checkout", phase)
    elif reason == "another epoch":
        cursor = {"east": Position("before", 0)}
    elif reason == "a hole":
        feeds.rollout("east/shop/checkout", Phase.DEGRADED, whole=False)
    else:
        cursor = {**cursor, "west": Position("a", 0)}
    assert feeds.fanout.since(cursor) is None


async def test_who_asks_for_one_spoke_is_told_of_that_one(feeds: Feeds) -> None:
    feeds.rollout("east/shop/checkout")
    cursor = feeds.fanout.positions
    feeds.rollout("west/shop/checkout")
    feeds.rollout("east/shop/checkout", Phase.DEGRADED)
    missed = feeds.fanout.since(cursor)
    assert missed is not None
    assert told([*missed]) == ["east/shop/checkout 2"]


async def test_news_say_how_far_all_feeds_had_come(feeds: Feeds) -> None:
    feeds.rollout("east/shop/checkout")
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.rollout("west/shop/checkout")
        feeds.rollout("east/shop/checkout", Phase.DEGRADED)
        news = await heard(subscription, 2)
    frontiers = [item.frontier for item in news if item]
    assert [dict(item.positions) for item in frontiers if item] == [
        {"east": Position("a", 1), "west": Position("a", 1)},
        {"east": Position("a", 2), "west": Position("a", 1)},
    ]
    assert feeds.fanout.frontier is frontiers[-1]


async def test_what_fills_a_hole_does_not_say_that_it_is_filled(feeds: Feeds) -> None:
    feeds.rollout("east/shop/checkout")
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.rollout("east/shop/checkout", Phase.DEGRADED, whole=False)
        feeds.rollout("west/shop/checkout")
        filling, later = await heard(subscription, 2)
    assert filling
    assert filling.frontier
    assert filling.frontier.positions == {"east": Position("a", 1)}
    assert later
    assert later.frontier
    assert later.frontier.positions["east"] == Position("a", 2)


async def test_nothing_that_fills_a_hole_does_but_what_comes_after_all_of_it(feeds: Feeds) -> None:
    """Who comes back after a part of it would not be told the rest otherwise."""
    feeds.rollout("east/shop/checkout")
    position = Position("b", 7)
    with feeds.fanout.subscribe(everything) as subscription:
        for again in range(2):  # a snapshot that is read once more may lead to the same place
            for name in ("cart", "checkout", "search"):
                view = rollout_view(f"east/shop/{name}", percent=again)
                entry = Entry(7, ObjectKey("shop", name), view, NOON)
                feeds.fanout.take("east", Step(entry, position, whole=False))
            feeds.rollout("west/shop/checkout")
        news = await heard(subscription, 8)
    told = [item.frontier.positions.get("east") for item in news if item and item.frontier]
    assert told == [*[Position("a", 1)] * 3, position, *[None] * 3, position]


async def test_a_listener_can_be_woken_for_another_reason(feeds: Feeds) -> None:
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.fanout.nudge()
        with anyio.fail_after(1):
            await subscription.wait()
        assert not subscription.waiting
        feeds.rollout("east/shop/checkout")
        feeds.rollout("east/shop/cart")
        await subscription.wait()
        assert told([subscription.take()]) == ["east/shop/checkout 1"]
        assert told(subscription.drain()) == ["east/shop/cart 2"]
        assert not subscription.waiting


async def test_a_spoke_that_is_gone_takes_its_rollouts_with_it(feeds: Feeds) -> None:
    feeds.rollout("east/shop/checkout")
    with feeds.fanout.subscribe(everything) as subscription:
        feeds.fanout.forget("east")
        assert await heard(subscription, 1) == [None]
    assert feeds.mirror.rollout(RolloutRef("east", "shop", "checkout")) is None
    assert feeds.fanout.positions == {}
    assert feeds.fanout.since({}) == []
