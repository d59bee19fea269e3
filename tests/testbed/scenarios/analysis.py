"""Rollouts that ask whether to go on: analysis steps, background analysis, experiments."""

from collections.abc import Iterator

from testbed.cluster import Object
from testbed.scenarios.canary import LONG
from testbed.scenarios.manifests import (
    analysis_template,
    canary,
    pause,
    pod_spec,
    rollout,
    web_metric,
    weight,
)
from testbed.scenarios.stage import Scenario, Stage

METRIC = "success-rate"
INTERVAL = 6  # seconds between measurements: room to compare at a moment between two
USE = {"templates": [{"templateName": METRIC}]}


def _start(s: Stage, *steps: Object, metric: Object, **fields: object) -> None:
    s.metrics.set(METRIC, 1.0)
    s.apply(analysis_template(METRIC, metric))
    s.apply(rollout(s.rollout, canary(*steps, **fields)))
    s.wait_phase("Healthy")


def _analysed(s: Stage) -> None:
    metric = web_metric(s.metrics.url(METRIC), interval=INTERVAL, count=2)
    _start(s, weight(50), {"analysis": USE}, metric=metric)
    s.set_image("yellow")
    s.wait_any("AnalysisRun", lambda run: _measured(run) == 1, "first measurement")


def _passes(s: Stage) -> Iterator[str]:
    _analysed(s)
    yield "analysis runs"
    s.wait_phase("Healthy")
    yield "analysis passed"


def _fails(s: Stage) -> Iterator[str]:
    _analysed(s)
    s.metrics.set(METRIC, 0.1)
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted by its analysis"


def _inconclusive(s: Stage) -> Iterator[str]:
    _analysed(s)
    s.metrics.set(METRIC, 0.7)
    s.wait_phase("Paused", "InconclusiveAnalysisRun")
    yield "paused: inconclusive"
    s.plugin("promote")
    s.wait_phase("Healthy")
    yield "promoted by a person"


def _errs(s: Stage) -> Iterator[str]:
    s.metrics.unset(METRIC)
    metric = web_metric(s.metrics.url(METRIC), interval=1, count=1)
    _start(s, weight(50), {"analysis": USE}, metric={**metric, "consecutiveErrorLimit": 0})
    s.metrics.unset(METRIC)
    s.set_image("yellow")
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted: the metric could not be measured"


def _background(s: Stage) -> Iterator[str]:
    metric = web_metric(s.metrics.url(METRIC), interval=INTERVAL, count=None)
    _start(s, weight(50), pause(), metric=metric, analysis={**USE, "startingStep": 1})
    s.set_image("yellow")
    s.wait_step(1)
    s.wait_any("AnalysisRun", lambda run: _measured(run) >= 1, "first measurement")
    yield "paused while an analysis runs"
    s.metrics.set(METRIC, 0.1)
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted by its background analysis"


def _job(s: Stage) -> Iterator[str]:
    spec = {**pod_spec("yellow"), "restartPolicy": "Never"}
    job = {"metadata": {"labels": {"app": "check"}}, "spec": {"template": {"spec": spec}}}
    metric = {"name": METRIC, "provider": {"job": job}}
    _start(s, weight(50), {"analysis": USE}, pause(), metric=metric)
    s.set_image("yellow")
    s.wait_step(2)
    yield "paused after its Job"


def _experiment(s: Stage) -> Iterator[str]:
    metric = web_metric(s.metrics.url(METRIC), interval=INTERVAL, count=None)
    experiment = {
        "duration": f"{LONG}s",
        "templates": [
            {"name": "baseline", "specRef": "stable"},
            {"name": "candidate", "specRef": "canary"},
        ],
        "analyses": [{"name": METRIC, "templateName": METRIC}],
    }
    _start(s, {"experiment": experiment}, weight(50), pause(), metric=metric)
    s.set_image("yellow")
    s.wait_any("AnalysisRun", lambda run: _measured(run) >= 1, "first measurement")
    yield "experiment runs"
    s.wait_step(2)
    yield "paused after its experiment"


def _measured(run: Object) -> int:
    results = run.get("status", {}).get("metricResults", [])
    return sum(len(r.get("measurements", [])) for r in results)


ALL = (
    Scenario("analysis-passes", "an analysis step that passes", _passes),
    Scenario("analysis-fails", "an analysis step that fails", _fails),
    Scenario("analysis-inconclusive", "an analysis step that cannot decide", _inconclusive),
    Scenario("analysis-errs", "an analysis step whose metric errs", _errs),
    Scenario("analysis-job", "an analysis step by a Job", _job),
    Scenario("background-analysis", "a background analysis that fails", _background),
    Scenario("experiment", "an experiment step with an analysis", _experiment),
)
