"""Spokes are shared out evenly, by everybody alike, and move little."""

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.assignment import BOUND, assign, weight

NAMES = st.text("abcdefgh-", min_size=1, max_size=8)
WEIGHTS = st.dictionaries(NAMES, st.floats(1, 1000), max_size=30)
WORKERS = st.sets(NAMES, min_size=1, max_size=8)


def fleet(count: int) -> dict[str, float]:
    return {f"spoke-{number}": 1.0 for number in range(count)}


def workers(count: int) -> list[str]:
    return [f"worker-{number}" for number in range(count)]


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> int:
    return sum(before[spoke] != after[spoke] for spoke in before)


@given(WEIGHTS, WORKERS, st.randoms(use_true_random=False))
def test_every_spoke_has_one_living_worker_whoever_computes_it(
    weights: dict[str, float], living: set[str], rng: Random
) -> None:
    held = {spoke: rng.choice([*living, "dead"]) for spoke in weights if rng.random() < 0.5}
    found = assign(weights, living, held)
    assert found.keys() == weights.keys()
    assert set(found.values()) <= living
    shuffled = rng.sample(sorted(weights), len(weights))
    again = {spoke: weights[spoke] for spoke in shuffled}
    assert assign(again, rng.sample(sorted(living), len(living)), held) == found


@given(WEIGHTS, WORKERS)
def test_nobody_has_much_more_than_the_others(weights: dict[str, float], living: set[str]) -> None:
    loads: Counter[str] = Counter()
    for spoke, worker in assign(weights, living).items():
        loads[worker] += weights[spoke]  # type: ignore[assignment]
    mean = sum(weights.values()) / len(living)
    # What finds no room goes to whoever has least, and that is less than the mean.
    most = BOUND * mean + max(weights.values(), default=0)
    assert all(load <= most * 1.000001 for load in loads.values())


@given(WEIGHTS, WORKERS)
def test_who_computes_again_and_again_comes_to_rest(
    weights: dict[str, float], living: set[str]
) -> None:
    found = assign(weights, living)
    for _ in range(3):
        found = assign(weights, living, found)
    assert assign(weights, living, found) == found


def test_three_hundred_spokes_are_shared_out_evenly() -> None:
    loads = Counter(assign(fleet(300), workers(5)).values())
    assert len(loads) == 5
    assert max(loads.values()) <= 75
    assert min(loads.values()) >= 40


def test_what_is_nearly_even_stays_as_it_is() -> None:
    before = {f"spoke-{n}": "worker-0" if n < 33 else "worker-1" for n in range(60)}
    assert assign(fleet(60), workers(2), before) == before


def test_a_worker_that_dies_moves_its_own_spokes_only() -> None:
    before = assign(fleet(300), workers(5))
    survivors = workers(5)[1:]
    after = assign(fleet(300), survivors, before)
    lost = sum(worker == "worker-0" for worker in before.values())
    assert moved(before, after) == lost


def test_a_worker_that_comes_gets_its_share_and_no_more() -> None:
    before = assign(fleet(300), workers(4))
    after = assign(fleet(300), workers(5), before)
    gained = sum(worker == "worker-4" for worker in after.values())
    assert moved(before, after) == gained
    assert gained == pytest.approx(60, abs=3)


def test_a_pinned_spoke_stays_where_it_was_pinned_while_that_lives() -> None:
    pins = {f"spoke-{number}": "worker-1" for number in range(8)}
    found = assign(fleet(10), workers(2), pins=pins)
    assert all(found[spoke] == "worker-1" for spoke in pins)
    assert set(assign(fleet(10), ["worker-0"], pins=pins).values()) == {"worker-0"}


def test_a_heavy_spoke_has_a_worker_of_its_own() -> None:
    weights = fleet(10) | {"giant": 30.0}
    found = assign(weights, workers(3))
    giant = found.pop("giant")
    assert giant not in found.values()


def test_without_workers_nobody_watches() -> None:
    assert assign(fleet(3), []) == {}


def test_a_few_rollouts_more_or_less_weigh_the_same() -> None:
    assert [weight(known) for known in (0, 1, 2, 3, 100, 101, 128, 129)] == [
        *(1, 1, 2, 4),
        *(128, 128, 128, 256),
    ]
