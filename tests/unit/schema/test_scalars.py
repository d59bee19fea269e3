"""How times and lengths look on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.schema.scalars import (
    format_duration,
    format_time,
    parse_duration,
    parse_time,
    percent,
)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(seconds=30), "PT30S"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(days=2), "P2D"),
        (timedelta(days=1, seconds=3661), "P1DT1H1M1S"),
        (timedelta(milliseconds=90), "PT0.09S"),
        (timedelta(seconds=-30), "-PT30S"),
    ],
)
def test_a_length_is_written_in_iso_8601(length: timedelta, text: str) -> None:
    assert format_duration(length) == text


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=36500)))
def test_a_length_that_was_written_is_read_back(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "1m30s", 90, None, "PT1S ", "-PT1S"])
def test_what_is_no_length_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="PT1M30S"):
        parse_duration(text)


def test_a_length_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration("P9999999999D")


def test_a_time_is_written_in_utc_with_a_z() -> None:
    berlin = timezone(timedelta(hours=1))
    assert format_time(datetime(2026, 1, 31, 13, 0, tzinfo=berlin)) == "2026-01-31T12:00:00Z"


def test_a_time_with_an_offset_is_read() -> None:
    assert parse_time("2026-01-31T13:00:00+01:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "yesterday", 5, None])
def test_a_time_that_names_no_moment_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="2026-01-31T12:00:00Z"):
        parse_time(text)


def test_a_weight_is_a_share_of_its_maximum() -> None:
    assert percent(5, 1000) == 0.5
