"""The steps of a canary: what each is, where it stands, and which one is current.

A step kind that this version does not know is an `UnknownStep` that keeps its raw form; it never
breaks a rollout.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from rollgraph.core.durations import after, pause_duration
from rollgraph.core.objects.rollout import Rollout, RolloutAnalysis, StepPluginStatus
from rollgraph.core.objects.steps import (
    ExperimentBody,
    PauseBody,
    PluginBody,
    SetCanaryScaleBody,
    SetHeaderRouteBody,
    SetMirrorRouteBody,
)
from rollgraph.core.pauses import PauseReason, pause_condition


class StepState(StrEnum):
    """Where a step stands. SKIPPED: a full promotion under way will not run it."""

    PENDING = "PENDING"
    CURRENT = "CURRENT"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"


class Step(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One step.

    Attributes:
        index: Its place, from 0.
        label: Its text as the kubectl plugin and the controller's events write it.
        started_at: When it began, where the rollout's objects tell; None otherwise.
    """

    index: int
    state: StepState
    label: str
    started_at: datetime | None = None


class SetWeightStep(Step, frozen=True, tag=True):
    """Moves the canary to a weight, in units of the maximum weight."""

    weight: int = 0


class PauseStep(Step, frozen=True, tag=True):
    """Waits. `duration` None: until someone promotes.

    `ends_at` is known while the step is current.
    """

    duration: timedelta | None = None
    ends_at: datetime | None = None

    @property
    def indefinite(self) -> bool:
        """True when only a person, or an API call, ends the pause."""
        return self.duration is None


class SetCanaryScaleStep(Step, frozen=True, tag=True):
    """Sizes the canary apart from its traffic; exactly one of the three is set."""

    weight: int | None = None
    replicas: int | None = None
    match_traffic_weight: bool = False


class AnalysisStep(Step, frozen=True, tag=True):
    """Runs an analysis and waits for it. `run` is the name of its AnalysisRun once there is one."""

    templates: tuple[str, ...] = ()
    run: str = ""


class ExperimentStep(Step, frozen=True, tag=True):
    """Runs an experiment and waits for it. `experiment` is its name once there is one."""

    templates: tuple[str, ...] = ()
    experiment: str = ""


class SetHeaderRouteStep(Step, frozen=True, tag=True):
    """Sends requests with certain headers to the canary."""

    route: str = ""
    match: list[Any] | None = None


class SetMirrorRouteStep(Step, frozen=True, tag=True):
    """Mirrors requests to the canary."""

    route: str = ""
    percentage: int | None = None
    match: list[Any] | None = None


class PluginStep(Step, frozen=True, tag=True):
    """Runs a step plugin. `phase` is "" until the plugin has run."""

    plugin: str = ""
    config: Any = None
    phase: str = ""
    message: str = ""


class UnknownStep(Step, frozen=True, tag=True):
    """A kind that this version does not know, or one that is malformed."""

    raw: dict[str, Any] = {}


AnyStep = (
    SetWeightStep
    | PauseStep
    | SetCanaryScaleStep
    | AnalysisStep
    | ExperimentStep
    | SetHeaderRouteStep
    | SetMirrorRouteStep
    | PluginStep
    | UnknownStep
)


def steps(rollout: Rollout) -> tuple[AnyStep, ...]:
    """All steps of a canary in order; empty for one without, and for blue-green."""
    return tuple(
        _step(rollout, index, raw, _state(rollout, index))
        for index, raw in enumerate(_raw_steps(rollout))
    )


def step_index(rollout: Rollout) -> int | None:
    """How many steps are done, which is the current step's index.

    None without steps, and until the controller has begun with them.
    """
    index = rollout.status.current_step_index
    return None if index is None or not _raw_steps(rollout) else max(index, 0)


def current_step(rollout: Rollout, all_steps: tuple[AnyStep, ...]) -> AnyStep | None:
    """The step that the controller is at.

    None when all are done, before it has begun, when there are none, and after an abort.
    """
    index = step_index(rollout)
    if index is None or index >= len(all_steps) or rollout.status.abort:
        return None
    return all_steps[index]


def _raw_steps(rollout: Rollout) -> list[dict[str, Any]]:
    canary = rollout.spec.strategy.canary
    return (canary.steps or []) if canary else []


def _state(rollout: Rollout, index: int) -> StepState:
    current = step_index(rollout)
    if current is None or rollout.status.abort:
        return StepState.PENDING
    if index < current:
        return StepState.COMPLETED
    if rollout.status.promote_full and not rollout.fully_promoted:
        return StepState.SKIPPED
    return StepState.CURRENT if index == current else StepState.PENDING


def _step(rollout: Rollout, index: int, raw: dict[str, Any], state: StepState) -> AnyStep:
    """Reads one step; the order of kinds is upstream's, should a step name more than one."""
    for kind, read in _READERS.items():
        body = raw.get(kind)
        if body is None:
            continue
        try:
            step = read(rollout, index, body, state)
        except msgspec.ValidationError:
            break  # the right name with a body of another shape: shown raw
        if step is not None:
            return step
    named = [kind for kind, body in raw.items() if body is not None]
    return UnknownStep(index, state, named[0] if len(named) == 1 else "invalid", raw=raw)


def _set_weight(_: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    weight = msgspec.convert(body, int)
    return SetWeightStep(index, state, f"setWeight: {weight}", weight=weight)


def _pause(rollout: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    value = msgspec.convert(body, PauseBody).duration
    if value is None:
        length, label = None, "pause"
    else:
        # A length that cannot be read pauses for no time at all: the controller calls the spec
        # invalid.
        length, label = pause_duration(value) or timedelta(0), f"pause: {value}"
    held = _held_since(rollout) if state is StepState.CURRENT else None
    return PauseStep(index, state, label, held, duration=length, ends_at=after(held, length))


def _held_since(rollout: Rollout) -> datetime | None:
    condition = pause_condition(rollout, PauseReason.CANARY_PAUSE_STEP)
    return condition.start_time if condition else None


def _set_canary_scale(_: Rollout, index: int, body: Any, state: StepState) -> AnyStep | None:
    scale = msgspec.convert(body, SetCanaryScaleBody)
    if scale.weight is not None:
        detail = f"weight: {scale.weight}"
    elif scale.match_traffic_weight:
        detail = "matchTrafficWeight: true"
    elif scale.replicas is not None:
        detail = f"replicas: {scale.replicas}"
    else:
        return None
    return SetCanaryScaleStep(
        index,
        state,
        f"setCanaryScale{{{detail}}}",
        weight=scale.weight,
        replicas=scale.replicas,
        match_traffic_weight=bool(scale.match_traffic_weight),
    )


def _analysis(rollout: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    asked = msgspec.convert(body, RolloutAnalysis)
    run = rollout.status.canary.current_step_analysis_run_status
    return AnalysisStep(
        index,
        state,
        "analysis",
        templates=tuple(template.template_name for template in asked.templates or ()),
        run=run.name if run and state is StepState.CURRENT else "",
    )


def _experiment(rollout: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    asked = msgspec.convert(body, ExperimentBody)
    name = rollout.status.canary.current_experiment if state is StepState.CURRENT else ""
    return ExperimentStep(
        index,
        state,
        "experiment",
        templates=tuple(template.name for template in asked.templates or ()),
        experiment=name,
    )


def _header_route(_: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    route = msgspec.convert(body, SetHeaderRouteBody)
    label = f"setHeaderRoute: {route.name}"
    return SetHeaderRouteStep(index, state, label, route=route.name, match=route.match)


def _mirror_route(_: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    route = msgspec.convert(body, SetMirrorRouteBody)
    return SetMirrorRouteStep(
        index,
        state,
        f"setMirrorRoute: {route.name}",
        route=route.name,
        percentage=route.percentage,
        match=route.match,
    )


def _plugin(rollout: Rollout, index: int, body: Any, state: StepState) -> AnyStep:
    plugin = msgspec.convert(body, PluginBody)
    ran = _plugin_status(rollout, index)
    return PluginStep(
        index,
        state,
        f"plugin: {plugin.name}",
        ran.started_at if ran else None,
        plugin=plugin.name,
        config=plugin.config,
        phase=ran.phase if ran else "",
        message=ran.message if ran else "",
    )


def _plugin_status(rollout: Rollout, index: int) -> StepPluginStatus | None:
    """The latest status that the plugin left for this step."""
    statuses = rollout.status.canary.step_plugin_statuses or ()
    return next((status for status in reversed(statuses) if status.index == index), None)


_READERS = {
    "setWeight": _set_weight,
    "pause": _pause,
    "experiment": _experiment,
    "analysis": _analysis,
    "setCanaryScale": _set_canary_scale,
    "plugin": _plugin,
    "setHeaderRoute": _header_route,
    "setMirrorRoute": _mirror_route,
}
