"""Points are spent at once, and come back evenly within a minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.budgets import PERIOD, Bucket, spend


def test_who_has_not_asked_lately_has_all_points() -> None:
    bucket, balance = spend(None, 100.0, 30, 600)
    assert balance.allowed
    assert (balance.limit, balance.remaining, balance.wait) == (600, 570, 0.0)
    assert bucket == Bucket(570.0, 100.0)


def test_points_come_back_evenly_up_to_the_limit() -> None:
    spent = Bucket(0.0, 0.0)
    assert spend(spent, 6.0, 0, 600)[1].remaining == 60
    assert spend(spent, 30.0, 0, 600)[1].remaining == 300
    assert spend(spent, 3600.0, 0, 600)[1].remaining == 600


def test_who_has_too_few_spends_none_and_is_told_when_there_are_enough() -> None:
    bucket, balance = spend(Bucket(10.0, 0.0), 0.0, 40, 600)
    assert not balance.allowed
    assert balance.remaining == 10
    assert balance.wait == pytest.approx(3.0)
    assert spend(bucket, 2.99, 40, 600)[1].allowed is False
    assert spend(bucket, 3.01, 40, 600)[1].allowed is True


def test_what_costs_more_than_there_ever_is_takes_all_of_it() -> None:
    bucket, balance = spend(None, 0.0, 5000, 600)
    assert balance.allowed
    assert balance.remaining == 0
    assert spend(bucket, 59.0, 5000, 600)[1].wait == pytest.approx(1.0)


def test_what_was_not_needed_comes_back_first() -> None:
    assert spend(Bucket(10.0, 0.0), 0.0, 40, 600, back=100)[1].remaining == 70
    assert spend(Bucket(590.0, 0.0), 0.0, 0, 600, back=100)[1].remaining == 600


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    assert spend(Bucket(10.0, 100.0), 50.0, 0, 600)[1].remaining == 10


def test_it_is_told_when_all_points_are_there_again() -> None:
    assert spend(None, 0.0, 300, 600)[1].full_in == pytest.approx(30.0)
    assert spend(None, 0.0, 0, 600)[1].full_in == 0.0


@given(
    st.lists(st.tuples(st.floats(0, 120), st.integers(0, 2000)), max_size=40),
    st.integers(1, 1000),
)
def test_nobody_spends_more_than_what_was_there_and_has_come_back(
    asked: list[tuple[float, int]], limit: int
) -> None:
    bucket, now, spent = None, 0.0, 0
    for pause, points in asked:
        now += pause
        bucket, balance = spend(bucket, now, points, limit)
        spent += min(points, limit) if balance.allowed else 0
        assert 0 <= balance.left <= limit
        assert spent <= limit + now * limit / PERIOD + 0.001
        assert balance.allowed or 0 < balance.wait <= PERIOD
