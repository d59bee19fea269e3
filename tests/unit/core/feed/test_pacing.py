"""What is held back is put together, and given out so that no cursor says too much."""

from datetime import timedelta

from factories import NOON, rollout_view
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.feed.pacing import Pacer


def news(name: str, seq: int) -> News:
    view, here = rollout_view(f"east/shop/{name}", percent=seq), Position("a", seq)
    frontier = Frontier({"east": here})
    return News("east", view.ref.key, here, NOON, view, view, frontier=frontier)


def held(*told: tuple[str, int]) -> Pacer:
    pacer = Pacer(timedelta(seconds=1))
    for name, seq in told:
        pacer.holds(news(name, seq), NOON + timedelta(milliseconds=seq))
    return pacer


def test_the_first_is_told_at_once_and_what_follows_within_the_interval_as_one() -> None:
    pacer = held(("cart", 1), ("cart", 2), ("cart", 3))
    assert pacer.release(NOON) is None
    found = pacer.release(NOON + timedelta(seconds=1.1))
    assert found is not None
    assert (found.position.seq, found.whole) == (3, False)


def test_a_cursor_stays_before_what_is_held() -> None:
    pacer = held(("cart", 1), ("cart", 2), ("shop", 3))
    capped = pacer.frontier(Frontier({"east": Position("a", 3), "west": Position("b", 1)}))
    assert capped.positions == {"east": Position("a", 1), "west": Position("b", 1)}


def test_who_is_given_all_at_once_can_leave_after_any_of_it() -> None:
    """What comes after it leads further than its own cursor, so that it is told to who is back."""
    pacer = held(*(("cart", 1), ("shop", 2), ("cart", 3), ("shop", 4), ("cart", 5)))
    assert [each.position.seq for each in pacer.flush()] == [4, 5]
    assert pacer.flush() == []
