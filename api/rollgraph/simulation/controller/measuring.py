"""Analysis runs at work: measuring, and what the measurements mean (analysis/analysis.go)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from rollgraph.core.durations import go_duration
from rollgraph.simulation.controller.conditions import finished
from rollgraph.simulation.controller.passes import pruned
from rollgraph.simulation.manifests import Manifest, moment, stamp, status_of

# What a provider answers for a metric of a run; None if it does not.
Measure: TypeAlias = Callable[[Manifest, Manifest], float | None]

# Seconds until a measurement that erred is repeated.
ERROR_RETRY = 10
# As the web provider says it.
NO_VALUE = "received non 2xx response code: 404"
CONSECUTIVE_ERRORS = 4
KEPT_MEASUREMENTS = 10
# From bad to worse.
_RANKS = ("Successful", "Inconclusive", "Error", "Failed")
_COMPARISON = re.compile(r"result(?:\[0\])?\s*(<=|>=|==|!=|<|>)\s*(-?[0-9.]+)")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": float.__lt__,
    "<=": float.__le__,
    ">": float.__gt__,
    ">=": float.__ge__,
    "==": float.__eq__,
    "!=": float.__ne__,
}


def advance(run: Manifest, now: datetime, measure: Measure) -> tuple[Manifest, datetime | None]:
    """The run as it is now, and when its next measurement is due."""
    status = status_of(run)
    if finished(status.get("phase")):
        return run, None
    metrics = run["spec"]["metrics"]
    ending = bool(run["spec"].get("terminate")) or any(
        result["phase"] in ("Failed", "Error", "Inconclusive") and finished(result["phase"])
        for result in status.get("metricResults") or ()
    )
    results = {item["name"]: item for item in status.get("metricResults") or ()}
    for metric in metrics:
        before = results.get(metric["name"])
        if not ending and _due(metric, before, status, now):
            results[metric["name"]] = _measured(run, metric, before, now, measure)
    after = _assessed(run, metrics, results, now, ending=ending)
    if finished(status_of(after)["phase"]):
        return after, None
    times = [_next(metric, results.get(metric["name"]), status_of(after)) for metric in metrics]
    return after, min((time for time in times if time is not None), default=None)


def verdict(metric: Manifest, value: float) -> str:
    """The phase of a measurement with a value."""
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    if failure and holds(failure, value):
        return "Failed"
    if success:
        if holds(success, value):
            return "Successful"
        return "Inconclusive" if failure else "Failed"
    return "Successful"


def holds(condition: str, value: float) -> bool:
    """Whether a condition such as `result >= 0.95 && result <= 1` holds.

    Raises `ValueError` for one that is not made of comparisons, `&&` and `||`.
    """
    return any(
        all(_compared(part.strip(), value) for part in alternative.split("&&"))
        for alternative in condition.split("||")
    )


def _compared(text: str, value: float) -> bool:
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise ValueError(f"the simulation cannot evaluate {text!r}")
    return _OPERATORS[found[1]](value, float(found[2]))


def _due(metric: Manifest, before: Manifest | None, status: Manifest, now: datetime) -> bool:
    when = _next(metric, before, status)
    return (before is None and "initialDelay" not in metric) or (when is not None and when <= now)


def _next(metric: Manifest, result: Manifest | None, status: Manifest) -> datetime | None:
    """When a metric is to be measured next; None for never."""
    if result is None:
        delay, start = go_duration(metric.get("initialDelay", "")), status.get("startedAt")
        return moment(start) + delay if delay is not None and start else None
    count = _count(metric)
    if finished(result["phase"]) or (count is not None and result.get("count", 0) >= count):
        return None
    last = result["measurements"][-1]
    interval = go_duration(metric.get("interval", ""))
    if last["phase"] == "Error":
        interval = timedelta(seconds=ERROR_RETRY)
    return moment(last["finishedAt"]) + interval if interval is not None else None


def _count(metric: Manifest) -> int | None:
    """How often it is measured; None for as long as the run lives."""
    if "count" in metric:
        return int(metric["count"])
    return None if metric.get("interval") else 1


def _measured(
    run: Manifest, metric: Manifest, before: Manifest | None, now: datetime, measure: Measure
) -> Manifest:
    value = measure(run, metric)
    at = {"startedAt": stamp(now), "finishedAt": stamp(now)}
    if value is None:
        taken = {"phase": "Error", "message": NO_VALUE, **at}
    else:
        taken = {"phase": verdict(metric, value), "value": f"{value:g}", **at}
    result: dict[str, Any] = dict(before or {"name": metric["name"], "phase": "Running"})
    phase = taken["phase"]
    counter = phase.lower()
    result[counter] = result.get(counter, 0) + 1
    result["consecutiveError"] = result.get("consecutiveError", 0) + 1 if phase == "Error" else 0
    succeeded = phase == "Successful"
    result["consecutiveSuccess"] = result.get("consecutiveSuccess", 0) + 1 if succeeded else 0
    if phase != "Error":
        result["count"] = result.get("count", 0) + 1
    result["measurements"] = [*result.get("measurements", ()), taken][-KEPT_MEASUREMENTS:]
    return pruned(**result)


def _assessed(
    run: Manifest,
    metrics: Sequence[Manifest],
    results: dict[str, Manifest],
    now: datetime,
    *,
    ending: bool,
) -> Manifest:
    status = dict(status_of(run))
    status.setdefault("startedAt", stamp(now))
    worst, message = "", "Run Terminated" if run["spec"].get("terminate") else ""
    summary = {"count": len(metrics)}
    complete = True
    for metric in metrics:
        result = results.get(metric["name"])
        if result is None:
            complete = False
            continue
        phase = _phase(metric, result, ending=ending)
        if phase != result["phase"]:
            said = result["measurements"][-1].get("message")
            result = {**result, "phase": phase} | pruned(message=said)
            results[metric["name"]] = result
        if not finished(phase):
            complete = False
            continue
        summary[phase.lower()] = summary.get(phase.lower(), 0) + 1
        if not worst or _RANKS.index(phase) > _RANKS.index(worst):
            worst = phase
            why = _over_limit(metric, result)[1]
            if why:
                message = f'Metric "{metric["name"]}" assessed {phase} due to {why}'
                if result.get("message"):
                    message += f': "Error Message: {result["message"]}"'
    status |= {"dryRunSummary": {}, "runSummary": summary}
    if results:
        status["metricResults"] = [results[m["name"]] for m in metrics if m["name"] in results]
    phase = (worst or "Successful") if ending else worst if complete and worst else "Running"
    if phase == "Running":
        message = ""
    status |= {"phase": phase, **pruned(message=message)}
    if finished(phase):
        status["completedAt"] = stamp(now)
    return {**run, "status": status}


def _phase(metric: Manifest, result: Manifest, *, ending: bool) -> str:
    """A metric's phase (assessMetricStatus)."""
    if finished(result["phase"]):
        return str(result["phase"])
    bad, _ = _over_limit(metric, result)
    if bad:
        return bad
    count = _count(metric)
    if ending or (count is not None and result.get("count", 0) >= count):
        return "Successful"
    return "Running"


def _over_limit(metric: Manifest, result: Manifest) -> tuple[str, str]:
    """The phase of a metric that broke a limit, and which one."""
    errors = result.get("consecutiveError", 0)
    error_limit = int(metric.get("consecutiveErrorLimit", CONSECUTIVE_ERRORS))
    if errors > error_limit:
        return "Error", f"consecutiveErrors ({errors}) > consecutiveErrorLimit ({error_limit})"
    unclear, unclear_limit = result.get("inconclusive", 0), int(metric.get("inconclusiveLimit", 0))
    if unclear > unclear_limit:
        why = f"inconclusive ({unclear}) > inconclusiveLimit ({unclear_limit})"
        return "Inconclusive", why
    failed, failure_limit = result.get("failed", 0), int(metric.get("failureLimit", 0))
    if 0 <= failure_limit < failed:
        return "Failed", f"failed ({failed}) > failureLimit ({failure_limit})"
    return "", ""
