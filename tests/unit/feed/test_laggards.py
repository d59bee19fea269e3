"""Of listeners for whom much waits it is known whether to wait for them."""

from factories import NOON, rollout_view
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import News
from rollgraph.feed.laggards import Laggards
from rollgraph.feed.subscription import MOST, Subscription
from rollgraph.feed.turns import ROOM


def news(number: int) -> News:
    view = rollout_view(f"east/shop/shop-{number}")
    return News("east", view.ref.key, Position("a", number), NOON, None, view)


class Site:
    """A listener, and who knows of them."""

    def __init__(self) -> None:
        self.laggards = Laggards()
        self.listener = Subscription(lambda _: True, full=self.laggards.add)

    def offer(self, times: int) -> None:
        for number in range(times):
            self.listener.offer(news(number))

    def take(self, times: int) -> None:
        for _ in range(times):
            self.listener.take()


def test_who_has_room_is_not_waited_for() -> None:
    site = Site()
    site.offer(MOST - ROOM)
    assert not site.laggards.crowded(ROOM)


def test_who_has_none_is_until_they_have_taken_enough() -> None:
    site = Site()
    site.offer(MOST - ROOM + 10)
    assert site.laggards.crowded(ROOM)
    assert not site.laggards.crowded(ROOM - 10)
    site.take(10)
    assert not site.laggards.crowded(ROOM)


def test_who_was_given_up_is_waited_for_again_once_they_have_caught_up() -> None:
    site = Site()
    site.offer(MOST)
    site.laggards.give_up(ROOM)
    site.take(MOST - 1)
    site.offer(MOST - 1)
    assert not site.laggards.crowded(ROOM)
    site.take(MOST)
    assert not site.laggards.crowded(ROOM)
    site.offer(MOST)
    assert site.laggards.crowded(ROOM)


def test_who_has_room_though_much_waits_is_not_given_up() -> None:
    site = Site()
    site.offer(MOST // 2)
    site.laggards.give_up(MOST // 2)
    assert site.laggards.crowded(ROOM)


def test_who_has_ended_is_not_waited_for() -> None:
    site = Site()
    site.offer(MOST)
    site.laggards.discard(site.listener)
    assert not site.laggards.crowded(ROOM)
