"""The earliest time at which an AnalysisRun can be over: a lower bound, never a promise."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rollgraph.core.earliest import earliest_end
from samples import Patch, analysis_run

START = "2026-05-12T09:10:00Z"


def _end(metrics: list[Patch], results: list[Patch], **status: object) -> str | None:
    """The end as minutes and seconds after nine o'clock."""
    patch: Patch = {
        "spec": {"metrics": metrics},
        "status": {"metricResults": results or None, "startedAt": START, **status},
    }
    end = earliest_end(analysis_run("measured-by-interval", patch))
    return f"{end - datetime(2026, 5, 12, 9, tzinfo=UTC)}"[2:] if end else None


def _metric(**more: object) -> Patch:
    return {"name": "m", **more}


def _result(latest: Patch, **more: object) -> list[Patch]:
    return [{"name": "m", "phase": "Running", "measurements": [latest], **more}]


DONE = {"phase": "Successful", "startedAt": START, "finishedAt": "2026-05-12T09:10:05Z"}
ERROR = DONE | {"phase": "Error"}


@pytest.mark.parametrize(
    ("metric", "results", "end"),
    [
        pytest.param(_metric(), [], "10:00", id="once"),
        pytest.param(_metric(count=0), [], "10:00", id="once-count-0"),
        pytest.param(_metric(initialDelay="30s"), [], "10:30", id="once-after-a-delay"),
        pytest.param(_metric(interval="1m", count=5), [], "14:00", id="five"),
        pytest.param(_metric(interval="1m", count="5"), [], "14:00", id="five-as-text"),
        pytest.param(
            _metric(interval="1m", count=5, initialDelay="30s"),
            [],
            "14:30",
            id="five-after-a-delay",
        ),
        pytest.param(_metric(interval="1m"), [], None, id="for-ever"),
        pytest.param(_metric(interval="1m", count=0), [], None, id="for-ever-count-0"),
        pytest.param(_metric(interval="1m", count="{{args.count}}"), [], None, id="count-unknown"),
        pytest.param(
            _metric(count="{{args.count}}"), [], "10:00", id="count-unknown-but-no-interval"
        ),
        pytest.param(_metric(interval="{{args.i}}", count=5), [], "10:00", id="interval-unknown"),
        pytest.param(_metric(interval="1m", count=-1), [], "10:00", id="negative-count"),
        pytest.param(
            _metric(interval="1m", consecutiveSuccessLimit=3), [], "12:00", id="three-in-a-row"
        ),
        pytest.param(
            _metric(interval="1m", count=9, consecutiveSuccessLimit="3"),
            [],
            "12:00",
            id="three-in-a-row-before-nine",
        ),
        pytest.param(
            _metric(interval="1m", count=2, consecutiveSuccessLimit=3),
            [],
            "11:00",
            id="count-first",
        ),
        pytest.param(
            _metric(interval="1m", count=5), _result(DONE, count=2), "13:05", id="two-of-five-done"
        ),
        pytest.param(
            _metric(interval="1m", count=5), _result(DONE, count=5), "10:05", id="all-done"
        ),
        pytest.param(
            _metric(interval="1m", consecutiveSuccessLimit=3),
            _result(DONE, consecutiveSuccess=1),
            "12:05",
            id="one-of-three-in-a-row",
        ),
        pytest.param(_metric(), _result(ERROR), "10:15", id="an-error-is-repeated-after-10s"),
        pytest.param(
            _metric(interval="1m", count=2),
            _result(ERROR, count=0),
            "11:15",
            id="error-then-interval",
        ),
        pytest.param(
            _metric(interval="1m", count=5),
            _result({"phase": "Running", "startedAt": "2026-05-12T09:12:00Z"}, count=2),
            "14:00",
            id="the-third-of-five-runs",
        ),
        pytest.param(
            _metric(),
            _result({"phase": "Running", "startedAt": START, "resumeAt": "2026-05-12T09:20:00Z"}),
            "20:00",
            id="in-flight-until-it-is-resumed",
        ),
        pytest.param(
            _metric(interval="1m", count=5),
            _result(DONE | {"resumeAt": "2026-05-12T09:10:01Z"}, count=2),
            "13:05",
            id="a-resume-time-left-on-a-finished-one-is-ignored",
        ),
        pytest.param(
            _metric(interval="1m"), _result(DONE, phase="Failed"), "10:05", id="already-failed"
        ),
        pytest.param(
            _metric(interval="1m"),
            [{"name": "m", "phase": "Successful"}],
            "10:00",
            id="over-without-a-measurement",
        ),
        pytest.param(_metric(interval="2562047h", count=10**9), [], None, id="beyond-the-calendar"),
        pytest.param(_metric(), _result({"phase": "Running"}), None, id="in-flight-without-times"),
    ],
)
def test_one_metric(metric: Patch, results: list[Patch], end: str | None) -> None:
    assert _end([metric], results) == end


def test_the_slowest_metric_decides() -> None:
    assert _end([_metric(), {"name": "slow", "interval": "1m", "count": 9}], []) == "18:00"


def test_one_metric_that_does_not_tell_hides_the_end() -> None:
    assert _end([_metric(), {"name": "endless", "interval": "1m"}], []) is None


@pytest.mark.parametrize("metrics", [None, []])
def test_without_metrics_there_is_no_end(metrics: Any) -> None:
    assert _end(metrics, []) is None


def test_before_the_run_starts_there_is_no_end() -> None:
    assert _end([_metric()], [], startedAt=None) is None


def test_a_run_that_is_being_terminated_may_end_at_any_moment() -> None:
    assert earliest_end(analysis_run("measured-by-interval", {"spec": {"terminate": True}})) is None


def test_the_sample_has_three_measurements_to_go() -> None:
    end = earliest_end(analysis_run("measured-by-interval"))
    assert end == datetime(2026, 5, 12, 9, 14, 2, tzinfo=UTC)
