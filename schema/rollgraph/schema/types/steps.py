"""The steps of a canary."""

from datetime import datetime, timedelta

import msgspec
import strawberry

from rollgraph.core import steps as core
from rollgraph.core.analysis import AnalysisPhase, analysis_phase
from rollgraph.core.steps import StepState
from rollgraph.core.verbs import Scope
from rollgraph.core.view import RolloutView
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.scalars import Json, Percent, percent
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run
from rollgraph.schema.types.experiment import Experiment, experiment


@strawberry.interface(description="A step of a canary.")
class CanaryStep:
    """A step of a canary."""

    view: strawberry.Private[RolloutView]
    step: strawberry.Private[core.AnyStep]

    @resolved
    def index(self) -> int:
        """Its place, from 0."""
        return self.step.index

    @resolved
    def state(self) -> StepState:
        """Where it stands."""
        return self.step.state

    @resolved
    def label(self) -> str:
        """Its text, as the kubectl plugin and the controller's events write it."""
        return self.step.label

    @resolved
    def started_at(self) -> datetime | None:
        """When it began, where the rollout's objects tell."""
        return self.step.started_at or _analysis_began(self.view, self.step)


@strawberry.type(description="Moves the canary to a weight.")
class SetWeightStep(CanaryStep):
    """Moves the canary to a weight."""

    step: strawberry.Private[core.SetWeightStep]

    @resolved
    def weight(self) -> Percent:
        """The canary's share of the traffic, or of the pods where no router is set."""
        return _percent(self.view, self.step.weight)


@strawberry.type(description="Waits.")
class PauseStep(CanaryStep):
    """Waits."""

    step: strawberry.Private[core.PauseStep]

    @resolved
    def duration(self) -> timedelta | None:
        """How long; null: until someone promotes."""
        return self.step.duration

    @resolved
    def indefinite(self) -> bool:
        """Whether it lasts until someone promotes."""
        return self.step.indefinite

    @resolved
    def ends_at(self) -> datetime | None:
        """When it ends, while it is the current step and timed."""
        return self.step.ends_at


@strawberry.type(description="Sizes the canary apart from its traffic.")
class SetCanaryScaleStep(CanaryStep):
    """Sizes the canary apart from its traffic."""

    step: strawberry.Private[core.SetCanaryScaleStep]

    @resolved
    def weight(self) -> Percent | None:
        """As a share of the rollout's replicas, which is always of 100."""
        return None if self.step.weight is None else Percent(float(self.step.weight))

    @resolved
    def replicas(self) -> int | None:
        """As a number of pods."""
        return self.step.replicas

    @resolved
    def match_traffic_weight(self) -> bool:
        """As large as the traffic asks for."""
        return self.step.match_traffic_weight


@strawberry.type(description="Runs an analysis and waits for its verdict.")
class AnalysisStep(CanaryStep):
    """Runs an analysis and waits for its verdict."""

    step: strawberry.Private[core.AnalysisStep]

    @resolved
    def templates(self) -> list[str]:
        """The templates that it runs."""
        return list(self.step.templates)

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def run(self) -> AnalysisRun | None:
        """Its run, while it is the current step."""
        runs = (r for r in self.view.analysis_runs if r.run.metadata.name == self.step.run)
        found = next(runs, None)
        return analysis_run(self.view.ref, found) if found else None


@strawberry.type(description="Runs an experiment and waits for its end.")
class ExperimentStep(CanaryStep):
    """Runs an experiment and waits for its end."""

    step: strawberry.Private[core.ExperimentStep]

    @resolved
    def templates(self) -> list[str]:
        """The templates that it runs."""
        return list(self.step.templates)

    @resolved
    def experiment(self) -> Experiment | None:
        """Its experiment, while it is the current step."""
        name = self.step.experiment
        found = next((e for e in self.view.experiments if e.experiment.metadata.name == name), None)
        return experiment(self.view.ref, found) if found else None


@strawberry.type(description="Sends requests with certain headers to the canary.")
class SetHeaderRouteStep(CanaryStep):
    """Sends requests with certain headers to the canary."""

    step: strawberry.Private[core.SetHeaderRouteStep]

    @resolved
    def route_name(self) -> str:
        """The route's name."""
        return self.step.route

    @resolved
    def match(self) -> Json | None:
        """The headers, as the spec has them; null removes the route."""
        return None if self.step.match is None else Json(self.step.match)


@strawberry.type(description="Mirrors requests to the canary.")
class SetMirrorRouteStep(CanaryStep):
    """Mirrors requests to the canary."""

    step: strawberry.Private[core.SetMirrorRouteStep]

    @resolved
    def route_name(self) -> str:
        """The route's name."""
        return self.step.route

    @resolved
    def percentage(self) -> Percent | None:
        """The share of requests to mirror."""
        return None if self.step.percentage is None else Percent(float(self.step.percentage))

    @resolved
    def match(self) -> Json | None:
        """The requests, as the spec has them; null removes the route."""
        return None if self.step.match is None else Json(self.step.match)


@strawberry.type(description="Runs a step plugin.")
class PluginStep(CanaryStep):
    """Runs a step plugin."""

    step: strawberry.Private[core.PluginStep]

    @resolved
    def plugin_name(self) -> str:
        """The plugin's name."""
        return self.step.plugin

    @resolved
    def phase(self) -> AnalysisPhase | None:
        """How it fares; null until it has run."""
        return analysis_phase(self.step.phase) if self.step.phase else None

    @resolved
    def message(self) -> str | None:
        """What it says."""
        return self.step.message or None

    @resolved
    def config(self) -> Json | None:
        """Its configuration, as the spec has it."""
        return None if self.step.config is None else Json(self.step.config)


@strawberry.type(description="A step of a kind that this gateway does not know, kept visible.")
class UnknownStep(CanaryStep):
    """A step of a kind that this gateway does not know; `label` and `raw` keep it visible."""

    step: strawberry.Private[core.UnknownStep]

    @resolved
    def raw(self) -> Json:
        """The step, as the spec has it."""
        return Json(self.step.raw)


STEP_TYPES: dict[type[msgspec.Struct], type[CanaryStep]] = {
    core.SetWeightStep: SetWeightStep,
    core.PauseStep: PauseStep,
    core.SetCanaryScaleStep: SetCanaryScaleStep,
    core.AnalysisStep: AnalysisStep,
    core.ExperimentStep: ExperimentStep,
    core.SetHeaderRouteStep: SetHeaderRouteStep,
    core.SetMirrorRouteStep: SetMirrorRouteStep,
    core.PluginStep: PluginStep,
    core.UnknownStep: UnknownStep,
}


def canary_step(view: RolloutView, step: core.AnyStep) -> CanaryStep:
    """The GraphQL object of a step."""
    return STEP_TYPES[type(step)](view=view, step=step)


def is_of_update(view: RolloutView, revision: int) -> bool:
    """Whether something is of the update that is under way, or was the last."""
    return not revision or revision == max((r.number for r in view.revisions), default=revision)


def _analysis_began(view: RolloutView, step: core.AnyStep) -> datetime | None:
    """When the analysis of a step began; None for another step, and before it did.

    After a retry a step has a run for each time: the last one counts.
    """
    if not isinstance(step, core.AnalysisStep):
        return None
    runs = [
        item.run
        for item in view.analysis_runs
        if item.step_index == step.index and is_of_update(view, item.revision)
    ]
    if step.state is StepState.CURRENT:
        runs = [run for run in runs if run.metadata.name == step.run]
    elif step.state is not StepState.COMPLETED:
        return None
    return runs[-1].status.started_at if runs else None


def _percent(view: RolloutView, weight: int) -> Percent:
    return percent(weight, view.weights.maximum if view.weights else 100)
