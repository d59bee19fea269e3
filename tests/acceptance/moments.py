"""The moments at which actions are tried: one for each kind of step, and what is between."""

from collections.abc import Iterator
from typing import Any

from acceptance.twins import Condition, Moment
from samples import merged
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


def _analysed(
    s: Stage, value: float, *steps: Object, until: Condition, count: int = 1
) -> Iterator[Condition]:
    """A canary with an analysis; of two measurements the second comes when nobody waits for it."""
    name = f"rate-{value}"
    s.metrics.set(name, value)
    metric = web_metric(s.metrics.url(name), interval=HOUR, count=count)
    s.apply(analysis_template("rate", metric))
    yield from updated(*steps, until=until)(s)


RATE = {"analysis": {"templates": [{"templateName": "rate"}]}}
ANALYSIS = Moment(
    "an analysis step",
    lambda s: _analysed(s, 1.0, weight(50), RATE, pause(), until=analysing("Running"), count=2),
)
TWO_ANALYSES = Moment(
    "two analyses in a row",
    lambda s: _analysed(s, 1.0, weight(50), RATE, RATE, until=analysing("Running"), count=2),
)
ANALYSED = Moment(
    "a pause after an analysis",
    lambda s: _analysed(s, 1.0, weight(50), RATE, pause(), until=at(2, "Paused")),
)
UNCLEAR_ANALYSIS = Moment(
    "an analysis without a verdict",
    lambda s: _analysed(s, UNCLEAR, weight(50), RATE, pause(), until=at(1, "Paused", "Inc")),
)


def _background(s: Stage) -> Iterator[Condition]:
    """It is clear the next time: another run without a verdict might come at any step."""
    name = f"background-{s.namespace}"
    s.metrics.set(name, UNCLEAR)
    s.apply(analysis_template("rate", web_metric(s.metrics.url(name), interval=HOUR, count=1)))
    analysis = {"templates": [{"templateName": "rate"}], "startingStep": 1}
    steps = (weight(50), pause(), weight(80), pause())
    s.apply(rollout(s.rollout, canary(*steps, analysis=analysis)))
    yield HEALTHY
    s.set_image("yellow")
    yield at(1, "Paused")
    yield inconclusive
    s.metrics.set(name, 1.0)


def inconclusive(found: Object) -> bool:
    """The controller waits for a person's verdict."""
    pauses = found["status"].get("pauseConditions") or ()
    return any(pause["reason"] == "InconclusiveAnalysisRun" for pause in pauses)


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


def _promote_in_full(s: Stage) -> None:
    body = {"status": {"promoteFull": True}}
    s.cluster.patch("Rollout", s.rollout, body, s.namespace, sub="status")


FULL = Moment(
    "a full promotion that waits for pods", _then(WEIGHING, _promote_in_full, at(2, "Progressing"))
)
RELEASED = Moment("a second revision after a pause", _then(PAUSED, _promote_in_full, HEALTHY))


def _idle(s: Stage) -> Iterator[Condition]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    yield HEALTHY


IDLE = Moment("one revision", _idle)


def _referring(s: Stage, api_version: str, kind: str, **spec: object) -> Object:
    """A rollout whose template is in the object `workload`."""
    ref = {"apiVersion": api_version, "kind": kind, "name": "workload"}
    found = rollout(s.rollout, canary(weight(50), pause()), workloadRef=ref)
    kept = {k: v for k, v in found["spec"].items() if k not in {"template", "selector"}}
    return {**found, "spec": {**kept, **spec}}


def _deployed(s: Stage) -> Iterator[Condition]:
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": {"app": s.rollout}},
        "template": template(s.rollout, "blue"),
    }
    metadata = {"name": "workload"}
    s.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    s.apply(_referring(s, "apps/v1", "Deployment"))
    yield HEALTHY
    s.patch({"template": template(s.rollout, "yellow")}, kind="Deployment", name="workload")
    yield at(1, "Paused")


def _templated(s: Stage) -> Iterator[Condition]:
    found: Object = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "workload"}}
    s.apply({**found, "template": template(s.rollout, "blue")})
    # Of this kind the controller takes no selector.
    selector = {"matchLabels": {"app": s.rollout}}
    s.apply(_referring(s, "v1", "PodTemplate", selector=selector))
    yield HEALTHY
    body = {"template": template(s.rollout, "yellow")}
    s.cluster.patch("PodTemplate", "workload", body, s.namespace)
    yield at(1, "Paused")


TEMPLATED = Moment("the template of a PodTemplate", _templated)


def _lessened(s: Stage) -> Iterator[Condition]:
    """The second template only lacks something of the first."""
    found = rollout(s.rollout, canary(weight(50), pause()))
    (container,) = found["spec"]["template"]["spec"]["containers"]
    more = {**container, "env": [{"name": "MORE", "value": "yes"}]}
    pods = found["spec"]["template"]["spec"]
    s.apply(merged(found, {"spec": {"template": {"spec": {**pods, "containers": [more]}}}}))
    yield HEALTHY
    s.patch({"template": {"spec": {"containers": [container]}}})
    yield at(1, "Paused")


LESSENED = Moment("a template with less in it", _lessened)
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
