"""Lengths of time as Argo Rollouts writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from rollgraph.core.durations import after, go_duration, pause_duration, seconds_after

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("300ms", timedelta(milliseconds=300)),
        ("1.5h", timedelta(minutes=90)),
        (".5s", timedelta(milliseconds=500)),
        ("1.s", timedelta(seconds=1)),
        ("2us", timedelta(microseconds=2)),
        ("2\u00b5s", timedelta(microseconds=2)),
        ("2\u03bcs", timedelta(microseconds=2)),
        ("1000ns", timedelta(microseconds=1)),
        ("-5s", timedelta(seconds=-5)),
        ("+5s", timedelta(seconds=5)),
        ("0", timedelta(0)),
        ("-0", timedelta(0)),
        ("2562047h", timedelta(hours=2562047)),
    ],
)
def test_a_length_in_gos_text_form_is_read(text: str, length: timedelta) -> None:
    assert go_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "5",
        "s",
        "5 s",
        "5d",
        "--5s",
        "5s!",
        ".s",
        "1h-5m",
        "\u0665s",
        "2562048h",
        pytest.param("9" * 400 + "h", id="beyond-floats"),
        pytest.param("9" * 200_000, id="a-long-text-of-digits-takes-no-time"),
        "{{args.interval}}",
    ],
)
def test_any_other_text_is_no_length(text: str) -> None:
    assert go_duration(text) is None


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (30, timedelta(seconds=30)),
        ("30", timedelta(seconds=30)),
        ("+30", timedelta(seconds=30)),
        ("1h", timedelta(hours=1)),
        pytest.param("1900ms", timedelta(seconds=1), id="whole-seconds-only"),
        (-5, timedelta(seconds=-5)),
        (0, timedelta(0)),
    ],
)
def test_a_pause_counts_seconds_unless_it_names_a_unit(value: int | str, length: timedelta) -> None:
    assert pause_duration(value) == length


@pytest.mark.parametrize("value", ["", "soon", "5d", 2**31, "2147483649", "999999h", 10**30])
def test_a_pause_of_another_form_or_beyond_32_bits_has_no_length(value: int | str) -> None:
    assert pause_duration(value) is None


def test_sums_of_times_end_where_the_calendar_ends() -> None:
    assert after(NOON, timedelta(hours=1), 3) == NOON + timedelta(hours=3)
    assert after(None, timedelta(hours=1)) is None
    assert after(NOON, None) is None
    assert after(NOON, timedelta.max) is None
    assert after(NOON, timedelta(days=1), 10**12) is None
    assert seconds_after(NOON, 60) == NOON + timedelta(minutes=1)
    assert seconds_after(NOON, 10**30) is None
    assert seconds_after(None, 60) is None
