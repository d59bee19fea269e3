"""The earliest time at which an AnalysisRun can be over.

The measurements that are still to be made, spaced as Argo Rollouts spaces them
(analysis/analysis.go). A measurement itself is taken to need no time, so this is a lower bound.
"""

from datetime import datetime, timedelta

from rollgraph.core.durations import after, go_duration
from rollgraph.core.integers import integer
from rollgraph.core.objects.analysis import AnalysisRun, Metric, MetricResult
from rollgraph.core.phase import COMPLETED

# The controller's pause after a measurement that ended in an error.
_ERROR_RETRY = timedelta(seconds=10)


def earliest_end(run: AnalysisRun) -> datetime | None:
    """The earliest time at which a run can be over if nothing fails.

    None if its metrics do not tell: one that is measured for ever, for instance.
    """
    if run.spec.terminate:
        return None  # it may end at any moment
    results = {result.name: result for result in run.status.metric_results or ()}
    ends = [_metric_end(run, metric, results.get(metric.name)) for metric in run.spec.metrics or ()]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _metric_end(run: AnalysisRun, metric: Metric, result: MetricResult | None) -> datetime | None:
    result = result or MetricResult()
    latest = result.measurements[-1] if result.measurements else None
    if result.phase in COMPLETED:
        return latest.finished_at if latest else run.status.started_at
    missing = _missing(metric, result)
    if missing is None:
        return None
    # A text that is no length, such as "{{args.interval}}", may turn out to be a short one.
    interval = go_duration(metric.interval) or timedelta(0)
    further = max(missing - 1, 0)
    if latest is None:
        delay = go_duration(metric.initial_delay) or timedelta(0)
        return after(after(run.status.started_at, delay), interval, further)
    if latest.finished_at is None:
        return after(latest.resume_at or latest.started_at, interval, further)
    if missing <= 0:
        return latest.finished_at
    gap = _ERROR_RETRY if latest.phase == "Error" else interval
    return after(after(latest.finished_at, gap), interval, further)


def _missing(metric: Metric, result: MetricResult) -> int | None:
    """How many measurements are missing at least.

    None if only a failure, or the run's end, ends the metric.
    """
    count = _number(metric.count)
    if not count and not metric.interval:
        count = 1  # without count and interval a metric is measured once
    in_row = _number(metric.consecutive_success_limit)
    missing = [count - result.count] if count else []
    if in_row > 0:
        missing.append(in_row - result.consecutive_success)
    return min(missing, default=None)


def _number(value: int | str | None) -> int:
    """0 for what is absent or cannot be read, such as "{{args.count}}"."""
    return (integer(value) if isinstance(value, str) else value) or 0
