"""The moments at which actions are tried: one for each kind of step, and what is between."""

from collections.abc import Iterator
from typing import Any

from acceptance.twins import Condition, Moment
from testbed.cluster import Object
from testbed.scenarios.manifests import (
    analysis_template,
    canary,
    ingress,
    pause,
    rollout,
    service,
    template,
    web_metric,
    weight,
)
from testbed.scenarios.stage import Stage

# Seconds; of what is not to end while anybody looks.
HOUR = 3_600
# Between these, a measurement says neither yes nor no.
UNCLEAR = 0.7


def at(index: int | None, phase: str, message: str = "") -> Condition:
    """So many steps are done, and the rollout is in that phase."""

    def reached(found: Object) -> bool:
        status = found["status"]
        says = status.get("message", "")
        return bool(
            status.get("currentStepIndex") == index
            and status.get("phase") == phase
            and says.startswith(message)
        )

    return reached


def in_phase(phase: str, message: str = "") -> Condition:
    """The rollout is in that phase, at whatever step."""

    def reached(found: Object) -> bool:
        status = found["status"]
        return bool(status.get("phase") == phase and status.get("message", "").startswith(message))

    return reached


HEALTHY = in_phase("Healthy")
ABORTED = in_phase("Degraded", "RolloutAborted")


def analysing(status: str) -> Condition:
    """The analysis of the current step stands so."""

    def reached(found: Object) -> bool:
        noted: Any = found["status"].get("canary", {}).get("currentStepAnalysisRunStatus") or {}
        return bool(noted.get("status") == status)

    return reached


def experimenting(found: Object) -> bool:
    """An experiment is under way."""
    return bool(found["status"].get("canary", {}).get("currentExperiment"))


def updated(*steps: Object, until: Condition, stuck: bool = False, **fields: object) -> Any:
    """A canary that has gone from blue to yellow so far."""

    def script(s: Stage) -> Iterator[Condition]:
        s.apply(rollout(s.rollout, canary(*steps, **fields)))
        yield HEALTHY
        s.set_image("yellow", stuck=stuck)
        yield until

    return script


PAUSED = Moment("a pause", updated(weight(50), pause(), weight(80), until=at(1, "Paused")))
TIMED = Moment("a timed pause", updated(weight(50), pause(HOUR), until=at(1, "Paused")))
TWO_PAUSES = Moment(
    "two pauses in a row", updated(weight(50), pause(), pause(), until=at(1, "Paused"))
)
WEIGHING = Moment(
    "a setWeight step", updated(weight(50), pause(), until=at(0, "Progressing"), stuck=True)
)


def _scaled(s: Stage) -> Iterator[Condition]:
    s.apply(service("stable", s.rollout), service("canary", s.rollout), ingress("door", "stable"))
    routed = {
        "stableService": "stable",
        "canaryService": "canary",
        "trafficRouting": {"nginx": {"stableIngress": "door"}},
    }
    steps = ({"setCanaryScale": {"replicas": 1}}, pause())
    yield from updated(*steps, until=at(0, "Progressing"), stuck=True, **routed)(s)


SCALING = Moment("a setCanaryScale step", _scaled)


def _analysed(s: Stage, value: float, *steps: Object, until: Condition) -> Iterator[Condition]:
    name = f"rate-{value}"
    s.metrics.set(name, value)
    # Clear ones go on with a second measurement, which nobody waits for.
    metric = web_metric(s.metrics.url(name), interval=HOUR, count=1 if value == UNCLEAR else 2)
    s.apply(analysis_template("rate", metric))
    yield from updated(*steps, until=until)(s)


RATE = {"analysis": {"templates": [{"templateName": "rate"}]}}
ANALYSIS = Moment(
    "an analysis step",
    lambda s: _analysed(s, 1.0, weight(50), RATE, pause(), until=analysing("Running")),
)
TWO_ANALYSES = Moment(
    "two analyses in a row",
    lambda s: _analysed(s, 1.0, weight(50), RATE, RATE, pause(), until=analysing("Running")),
)
UNCLEAR_ANALYSIS = Moment(
    "an analysis without a verdict",
    lambda s: _analysed(s, UNCLEAR, weight(50), RATE, pause(), until=at(1, "Paused", "Inc")),
)


def _background(s: Stage) -> Iterator[Condition]:
    s.metrics.set("background", UNCLEAR)
    metric = web_metric(s.metrics.url("background"), interval=HOUR, count=1)
    s.apply(analysis_template("rate", metric))
    analysis = {"templates": [{"templateName": "rate"}], "startingStep": 1}
    steps = (weight(50), pause(), weight(80), pause())
    until = at(1, "Paused")
    s.apply(rollout(s.rollout, canary(*steps, analysis=analysis)))
    yield HEALTHY
    s.set_image("yellow")
    yield (
        lambda found: (
            until(found)
            and any(
                p["reason"].startswith("Inc") for p in found["status"].get("pauseConditions", ())
            )
        )
    )


BACKGROUND = Moment("a background analysis without a verdict", _background)


def _experiment(**fields: object) -> Object:
    templates = [{"name": "candidate", "specRef": "canary"}]
    return {"experiment": {"duration": f"{HOUR}s", "templates": templates, **fields}}


EXPERIMENT = Moment(
    "an experiment step", updated(_experiment(), weight(50), pause(), until=experimenting)
)


TWO_EXPERIMENTS = Moment(
    "two experiments in a row",
    updated(_experiment(), _experiment(), weight(50), until=experimenting),
)


def _unclear_experiment(s: Stage) -> Iterator[Condition]:
    s.metrics.set("experiment", UNCLEAR)
    metric = web_metric(s.metrics.url("experiment"), interval=HOUR, count=1)
    s.apply(analysis_template("rate", metric))
    analyses = [{"name": "rate", "templateName": "rate", "requiredForCompletion": True}]
    step = _experiment(analyses=analyses)
    yield from updated(step, weight(50), pause(), until=at(0, "Paused", "Inconclusive"))(s)


UNCLEAR_EXPERIMENT = Moment("an experiment without a verdict", _unclear_experiment)


def _blue_green(s: Stage, until: Condition, **fields: object) -> Iterator[Condition]:
    active, preview = "active", "preview"
    s.apply(service(active, s.rollout), service(preview, s.rollout))
    strategy = {"activeService": active, "previewService": preview, **fields}
    s.apply(rollout(s.rollout, {"blueGreen": strategy}))
    yield HEALTHY
    s.set_image("yellow")
    yield until


PREVIEW = Moment(
    "a preview",
    lambda s: _blue_green(s, at(None, "Paused", "BlueGreen"), autoPromotionEnabled=False),
)
TIMED_PREVIEW = Moment(
    "a preview for a time",
    lambda s: _blue_green(s, at(None, "Paused", "BlueGreen"), autoPromotionSeconds=HOUR),
)


def _then(moment: Moment, move: Any, until: Condition) -> Any:
    def script(s: Stage) -> Iterator[Condition]:
        yield from moment.script(s)
        move(s)
        yield until

    return script


def _abort(s: Stage) -> None:
    s.cluster.patch("Rollout", s.rollout, {"status": {"abort": True}}, s.namespace, sub="status")


ABORTED_CANARY = Moment("an aborted canary", _then(PAUSED, _abort, ABORTED))
ABORTED_PREVIEW = Moment("an aborted preview", _then(PREVIEW, _abort, ABORTED))
HELD = Moment(
    "a canary paused by hand at a running step",
    _then(WEIGHING, lambda s: s.patch({"paused": True}), in_phase("Paused", "manually paused")),
)
HELD_PAUSE = Moment(
    "a canary paused by hand in a pause",
    _then(PAUSED, lambda s: s.patch({"paused": True}), in_phase("Paused", "manually paused")),
)
PROMOTED = Moment(
    "a second revision",
    updated(weight(50), until=lambda f: HEALTHY(f) and f["status"]["currentStepIndex"] == 1),
)
FULL = Moment(
    "a full promotion that waits for pods",
    _then(
        WEIGHING,
        lambda s: s.cluster.patch(
            "Rollout", s.rollout, {"status": {"promoteFull": True}}, s.namespace, sub="status"
        ),
        at(2, "Progressing"),
    ),
)


def _idle(s: Stage) -> Iterator[Condition]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    yield HEALTHY


IDLE = Moment("one revision", _idle)


def _deployed(s: Stage) -> Iterator[Condition]:
    s.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "workload"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": s.rollout}},
                "template": template(s.rollout, "blue"),
            },
        }
    )
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "workload"}
    found = rollout(s.rollout, canary(weight(50), pause()), workloadRef=ref)
    spec = {k: v for k, v in found["spec"].items() if k not in {"template", "selector"}}
    s.apply({**found, "spec": spec})
    yield HEALTHY
    s.patch({"template": template(s.rollout, "yellow")}, kind="Deployment", name="workload")
    yield at(1, "Paused")


DEPLOYED = Moment("the template of a Deployment", _deployed)
LABELLED = Moment(
    "a canary whose pods are labelled",
    updated(
        weight(50),
        pause(),
        until=at(1, "Paused"),
        canaryMetadata={"labels": {"role": "canary"}},
        stableMetadata={"labels": {"role": "stable"}},
    ),
)
