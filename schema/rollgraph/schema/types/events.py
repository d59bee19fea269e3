"""What subscriptions tell: one type for each kind of event."""

from datetime import datetime

import strawberry

from rollgraph.core.changes import (
    AnalysisRunChanged,
    PhaseChanged,
    PodsChanged,
    StepChanged,
    Updated,
    WeightChanged,
)
from rollgraph.core.phase import Phase
from rollgraph.core.verbs import Scope
from rollgraph.core.view import RolloutView
from rollgraph.core.weights import Weights
from rollgraph.schema.described import resolved, resolved_as
from rollgraph.schema.guard import guarded
from rollgraph.schema.ids import global_id
from rollgraph.schema.scalars import Percent, percent
from rollgraph.schema.streams.telling import EventKind, Telling
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run
from rollgraph.schema.types.measurements import Measurement, measurement
from rollgraph.schema.types.progress import RolloutProgress
from rollgraph.schema.types.replicas import Pod, pod
from rollgraph.schema.types.rollout import Rollout, rollout
from rollgraph.schema.types.split import PodSplit
from rollgraph.schema.types.steps import CanaryStep, canary_step


@strawberry.interface(description="Something that a stream tells.")
class RolloutEvent:
    """Something that a stream tells."""

    telling: strawberry.Private[Telling]

    @resolved
    def kind(self) -> EventKind:
        """What it says."""
        return self.telling.told.kind

    @resolved
    def cursor(self) -> str:
        """Where the stream is then: as `resumeAfter` it continues after this event."""
        return self.telling.cursor

    @resolved
    def occurred_at(self) -> datetime:
        """When it happened: when the cluster says that it was written, else `receivedAt`."""
        return self.telling.occurred_at

    @resolved
    def received_at(self) -> datetime:
        """When the gateway learned it; of a state, when the stream looked at it."""
        return self.telling.received_at

    @resolved
    def cluster_name(self) -> str | None:
        """The cluster's name; null in a RESYNC of several clusters."""
        return self.telling.cluster or None


@strawberry.type(description="How a rollout is: SNAPSHOT or ADDED.")
class RolloutSnapshotEvent(RolloutEvent):
    """How a rollout is: SNAPSHOT or ADDED."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout."""
        return rollout(_view(self.telling))


@strawberry.type(description="Something of a rollout has changed that has no kind of its own.")
class RolloutUpdatedEvent(RolloutEvent):
    """Something of a rollout has changed that has no kind of its own."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @resolved
    def changed_fields(self) -> list[str]:
        """The fields of `Rollout` that are different; `manifest` for anything in the object."""
        change = self.telling.told.change
        assert isinstance(change, Updated)
        return sorted({_FIELDS[name] for name in change.fields})


@strawberry.type(description="The phase is another one.")
class PhaseChangedEvent(RolloutEvent):
    """The phase is another one."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @resolved_as("from")
    def before(self) -> Phase:
        """The phase that was."""
        return self._change.before

    @resolved_as("to")
    def after(self) -> Phase:
        """The phase that is."""
        return self._change.after

    @resolved
    def message(self) -> str | None:
        """Why it is so, in the controller's words."""
        return self._change.message or None

    @property
    def _change(self) -> PhaseChanged:
        change = self.telling.told.change
        assert isinstance(change, PhaseChanged)
        return change


@strawberry.type(description="Another step is the current one: the next, an earlier one, or none.")
class StepChangedEvent(RolloutEvent):
    """Another step is the current one: the next, an earlier one, or none."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @resolved
    def from_index(self) -> int | None:
        """How many steps were done."""
        return self._change.before

    @resolved
    def to_index(self) -> int | None:
        """How many steps are done."""
        return self._change.after

    @resolved
    def step(self) -> CanaryStep | None:
        """The step that is current now; null when all are done, and after an abort."""
        step = self._change.step
        return canary_step(_view(self.telling), step) if step else None

    @resolved
    def progress(self) -> RolloutProgress:
        """How far the update has come, and what it waits for."""
        return RolloutProgress(progress=_view(self.telling).progress)

    @property
    def _change(self) -> StepChanged:
        change = self.telling.told.change
        assert isinstance(change, StepChanged)
        return change


@strawberry.type(description="The canary's weight, as wanted or as it is, is another one.")
class WeightChangedEvent(RolloutEvent):
    """The canary's weight, as wanted or as it is, is another one."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @resolved
    def from_weight(self) -> Percent | None:
        """The share that the canary had; null if it had a strategy without weights."""
        return _actual(self._change.before)

    @resolved
    def to_weight(self) -> Percent | None:
        """The share that it has; null if it has a strategy without weights."""
        return _actual(self._change.after)

    @resolved
    def split(self) -> PodSplit:
        """Who serves what then; the share that is wanted, too."""
        return PodSplit(view=_view(self.telling))

    @property
    def _change(self) -> WeightChanged:
        change = self.telling.told.change
        assert isinstance(change, WeightChanged)
        return change


@strawberry.type(description="Pods came, went or fare differently.")
class PodsChangedEvent(RolloutEvent):
    """Pods came, went or fare differently."""

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @resolved
    def pods(self) -> list[Pod]:
        """Those that are new or fare differently, as they are then."""
        view = _view(self.telling)
        changed = {item.pod.metadata.uid for item in self._change.pods}
        return [
            pod(view.ref, item, owner.roles)
            for owner in view.all_replica_sets
            for item in owner.pods
            if item.pod.metadata.uid in changed
        ]

    @resolved
    def gone(self) -> list[str]:
        """The names of those that are not there any more."""
        return list(self._change.gone)

    @resolved
    def split(self) -> PodSplit:
        """Who serves what then."""
        return PodSplit(view=_view(self.telling))

    @property
    def _change(self) -> PodsChanged:
        change = self.telling.told.change
        assert isinstance(change, PodsChanged)
        return change


@strawberry.type(description="An analysis run began, measured something, or ended.")
class AnalysisRunChangedEvent(RolloutEvent):
    """An analysis run began, measured something, or ended."""

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_run(self) -> AnalysisRun | None:
        """The run as it is then."""
        return analysis_run(_view(self.telling).ref, self._change.run)

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def new_measurements(self) -> list[Measurement] | None:
        """The measurements that were not there before, or had not finished."""
        return [measurement(item) for item in self._change.measurements]

    @resolved
    def rollout(self) -> Rollout:
        """The rollout as it is then."""
        return rollout(_view(self.telling))

    @property
    def _change(self) -> AnalysisRunChanged:
        change = self.telling.told.change
        assert isinstance(change, AnalysisRunChanged)
        return change


@strawberry.type(description="A rollout is gone from the stream.")
class RolloutDeletedEvent(RolloutEvent):
    """A rollout is gone from the stream: deleted, not matching any more, or not shown any more."""

    @resolved
    def id(self) -> strawberry.ID:
        """The global ID that it had."""
        ref = self.telling.ref
        assert ref is not None
        return global_id("Rollout", ref.cluster, ref.namespace, ref.name)

    @resolved
    def namespace(self) -> str:
        """Its namespace."""
        return self.telling.ref.namespace if self.telling.ref else ""

    @resolved
    def name(self) -> str:
        """Its name."""
        return self.telling.ref.name if self.telling.ref else ""


@strawberry.type(
    description="What changed cannot be told: forget what you know, the state follows."
)
class ResyncEvent(RolloutEvent):
    """What changed cannot be told: forget what you know, the state follows."""

    @resolved
    def reason(self) -> str:
        """Why."""
        return self.telling.reason


EVENT_TYPES: dict[EventKind, type[RolloutEvent]] = {
    EventKind.SNAPSHOT: RolloutSnapshotEvent,
    EventKind.ADDED: RolloutSnapshotEvent,
    EventKind.UPDATED: RolloutUpdatedEvent,
    EventKind.PHASE_CHANGED: PhaseChangedEvent,
    EventKind.STEP_CHANGED: StepChangedEvent,
    EventKind.WEIGHT_CHANGED: WeightChangedEvent,
    EventKind.PODS_CHANGED: PodsChangedEvent,
    EventKind.ANALYSIS_RUN_CHANGED: AnalysisRunChangedEvent,
    EventKind.DELETED: RolloutDeletedEvent,
    EventKind.RESYNC: ResyncEvent,
}


def rollout_event(telling: Telling) -> RolloutEvent:
    """The GraphQL object of an event."""
    return EVENT_TYPES[telling.told.kind](telling=telling)


def analysis_run_event(telling: Telling) -> RolloutEvent:
    """The GraphQL object of an event of a stream of analysis runs: also of how one is."""
    if isinstance(telling.told.change, AnalysisRunChanged):
        return AnalysisRunChangedEvent(telling=telling)
    return rollout_event(telling)


# The parts of a view, as fields of `Rollout`.
_FIELDS = {
    "analysis_runs": "analysisRuns",
    "current_step": "currentStep",
    "events": "events",
    "experiments": "experiments",
    "images": "images",
    "message": "message",
    "phase": "phase",
    "progress": "progress",
    "ref": "id",
    "replica_sets": "revisions",
    "rollout": "manifest",
    "step_index": "currentStepIndex",
    "steps": "steps",
    "strategy": "strategy",
    "updated_at": "updatedAt",
    "weights": "split",
}


def _view(telling: Telling) -> RolloutView:
    assert telling.view is not None, "what is of this kind has one"
    return telling.view


def _actual(weights: Weights | None) -> Percent | None:
    return None if weights is None else percent(weights.actual, weights.maximum)
