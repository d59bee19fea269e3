"""Blue-green rollouts."""

from collections.abc import Iterator

from testbed.scenarios.canary import LONG
from testbed.scenarios.manifests import analysis_template, rollout, service, web_metric
from testbed.scenarios.stage import Scenario, Stage


def _start(s: Stage, **fields: object) -> None:
    active, preview = f"{s.rollout}-active", f"{s.rollout}-preview"
    s.apply(service(active, s.rollout), service(preview, s.rollout))
    strategy = {"activeService": active, "previewService": preview, **fields}
    s.apply(rollout(s.rollout, {"blueGreen": strategy}))
    s.wait_phase("Healthy")


def _promoted(s: Stage) -> Iterator[str]:
    _start(s, autoPromotionEnabled=False)
    yield "first revision active"
    s.set_image("green")
    s.wait_phase("Paused", "BlueGreenPause")
    yield "paused with a preview"
    s.plugin("promote")
    s.wait_phase("Healthy")
    yield "promoted, old pods kept for 30 s"
    s.set_image("red")
    s.wait_phase("Paused", "BlueGreenPause")
    s.plugin("abort")
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted"


def _timed(s: Stage) -> Iterator[str]:
    _start(s, autoPromotionSeconds=LONG, previewReplicaCount=1)
    s.set_image("green")
    s.wait_phase("Paused", "BlueGreenPause")
    yield "one preview pod, promotion to come"
    s.wait_phase("Healthy")
    yield "promoted by itself"


def _verified(s: Stage) -> Iterator[str]:
    metric = web_metric(s.metrics.url("rate"), interval=LONG, count=2)
    s.metrics.set("rate", 1.0)
    s.apply(analysis_template("rate", metric))
    _start(s, prePromotionAnalysis={"templates": [{"templateName": "rate"}]})
    s.set_image("green")
    s.wait_any("AnalysisRun", _measured_once, "first measurement")
    yield "pre-promotion analysis runs"
    s.wait_phase("Healthy")
    yield "promoted by its analysis"


def _measured_once(found: dict[str, dict[str, object]]) -> bool:
    return bool(found.get("status", {}).get("metricResults"))


ALL = (
    Scenario("blue-green", "a preview that is promoted, another that is aborted", _promoted),
    Scenario("blue-green-timed", "promotion after a time, with a small preview", _timed),
    Scenario("blue-green-verified", "an analysis before the promotion", _verified),
)
