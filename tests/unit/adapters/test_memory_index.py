"""The index keeps dead entries only for walks that may need them, and forgets the oldest first."""

from datetime import timedelta

import pytest

from factories import NOON, rollout_view
from rollgraph.adapters.memory import index as module
from rollgraph.adapters.memory.index import Index
from rollgraph.adapters.memory.rows import Row
from rollgraph.core import ordering
from rollgraph.core.paging import Order, OrderField

MINUTE = timedelta(minutes=1)


class Churn:
    """Rollouts in an index by progress, each of which a test can move at will."""

    def __init__(self, rollouts: int) -> None:
        refs = [f"prod-eu/shop/r{n:03}" for n in range(rollouts)]
        views = [rollout_view(ref) for ref in refs]
        self.rows = [Row(n, ordering.place(view.ref), view) for n, view in enumerate(views)]
        self.sequence = 0
        self.now = NOON
        self.index = Index(ordering.key([Order(OrderField.PROGRESS)]), self.rows, 0)

    def move(self, n: int, percent: int) -> None:
        row = self.rows[n]
        assert row.view is not None
        row.view = rollout_view(str(row.view.ref), percent=percent)
        self.sequence += 1
        self.index.put(row, self.sequence, self.now)
        self.index.prune(self.now)

    @property
    def dead(self) -> int:
        return len(self.index.entries) - len(self.rows)


def test_without_walks_nothing_dead_is_kept() -> None:
    churn = Churn(3)
    for percent in range(50):
        churn.move(1, percent)
    assert churn.dead == 0


def test_a_walk_costs_one_dead_entry_for_each_rollout_that_moves() -> None:
    churn = Churn(3)
    pin = churn.index.pin(churn.sequence)
    for percent in range(50):
        churn.move(1, percent)
    assert churn.dead == 1
    assert churn.index.holds(pin)


def test_a_rollout_that_comes_back_to_its_place_leaves_no_waste() -> None:
    churn = Churn(3)
    for _ in range(3):
        churn.index.pin(churn.sequence)
        churn.move(1, 0)
        churn.index.pin(churn.sequence)
        churn.move(1, 100)
    assert churn.dead == 6
    churn.now += MINUTE
    churn.move(2, 0)
    assert churn.dead == 0
    churn.index.drop(churn.rows.pop(1))
    assert churn.dead == 0


def test_of_two_entries_at_one_place_the_right_one_goes() -> None:
    churn = Churn(3)
    pin = churn.index.pin(churn.sequence)
    churn.move(1, 0)
    churn.move(1, 100)  # back to its place, where its dead entry stands
    churn.move(1, 50)
    assert churn.dead == 1
    seen = [e.row.number for e in churn.index.entries if e.born <= pin < e.died]
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("rollouts", [5, 300])
def test_after_a_minute_the_dead_and_their_walks_are_forgotten(rollouts: int) -> None:
    churn = Churn(rollouts)
    early = churn.index.pin(churn.sequence)
    for n in range(rollouts - 1):
        churn.move(n, 50)
    assert churn.dead == rollouts - 1
    churn.now += MINUTE
    churn.move(rollouts - 1, 50)
    assert churn.dead == 0
    assert not churn.index.holds(early)
    assert churn.index.holds(churn.index.pin(churn.sequence))
    keys = [entry.key for entry in churn.index.entries]
    assert keys == sorted(keys)


def test_a_later_walk_survives_an_earlier_one() -> None:
    churn = Churn(3)
    early = churn.index.pin(churn.sequence)
    churn.move(0, 10)
    churn.now += MINUTE / 2
    late = churn.index.pin(churn.sequence)
    churn.move(1, 10)
    churn.now += MINUTE / 2
    churn.move(2, 10)
    assert not churn.index.holds(early)
    assert churn.index.holds(late)
    assert churn.dead == 2


def test_of_too_many_dead_the_oldest_go_and_the_longest_walks_lose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_DEAD", 4)
    churn = Churn(9)
    pins = []
    for n in range(9):
        pins.append(churn.index.pin(churn.sequence))
        churn.move(n, 50)
    assert churn.dead == 4
    assert [churn.index.holds(pin) for pin in pins] == [False] * 5 + [True] * 4


def test_a_state_that_was_never_shown_is_not_held() -> None:
    churn = Churn(2)
    churn.index.pin(churn.sequence)
    assert not churn.index.holds(churn.sequence + 1)
    assert not churn.index.holds(-1)
