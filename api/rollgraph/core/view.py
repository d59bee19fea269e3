"""One rollout with everything that belongs to it, derived once and then only read.

A view is immutable and whole: queries, and later subscriptions and replicas, need nothing else. It
holds no clock: it changes only when one of its objects does.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from rollgraph.core.analysis import (
    AnalysisRunView,
    ExperimentView,
    analysis_run_views,
    experiment_views,
)
from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.event import MAX_EVENTS, KubeEvent
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.pauses import PauseReason, pause_reason
from rollgraph.core.phase import Phase, phase
from rollgraph.core.progress import Progress, progress
from rollgraph.core.refs import RolloutRef
from rollgraph.core.replicasets import (
    ContainerImage,
    ReplicaSetView,
    created,
    images,
    replica_set_views,
)
from rollgraph.core.revisions import Revision, revisions
from rollgraph.core.split import Slice, split
from rollgraph.core.steps import AnyStep, current_step, step_index, steps
from rollgraph.core.waiting import Circumstances, waiting
from rollgraph.core.weights import Weights, weights


class StrategyKind(StrEnum):
    """How a rollout moves to a new template."""

    CANARY = "Canary"
    BLUE_GREEN = "BlueGreen"


class RolloutView(msgspec.Struct, frozen=True, gc=False):
    """A rollout and all that is derived from it and its belongings.

    Attributes:
        strategy: None if the spec names no strategy that this version knows.
        steps: A canary's steps in order.
        step_index: How many steps are done; None without steps, and until the first has begun.
        current_step: None when all are done, after an abort, and without steps.
        weights: None unless the strategy is canary.
        images: Those of the present pod template, also when that is a Deployment's.
        events: The newest `MAX_EVENTS` about the rollout, the latest last.
        updated_at: When anyone last wrote the Rollout object, its status included.
    """

    ref: RolloutRef
    rollout: Rollout
    phase: Phase
    message: str
    strategy: StrategyKind | None
    steps: tuple[AnyStep, ...]
    step_index: int | None
    current_step: AnyStep | None
    weights: Weights | None
    progress: Progress
    replica_sets: tuple[ReplicaSetView, ...]
    analysis_runs: tuple[AnalysisRunView, ...]
    experiments: tuple[ExperimentView, ...]
    images: tuple[ContainerImage, ...]
    updated_at: datetime
    events: tuple[KubeEvent, ...] = ()

    @property
    def created_at(self) -> datetime:
        """When the Rollout was created."""
        return created(self.rollout)

    @property
    def pause_reasons(self) -> tuple[PauseReason, ...]:
        """Why the controller holds the rollout now."""
        return tuple(pause_reason(p.reason) for p in self.rollout.status.pause_conditions or ())

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """The revision tree, newest first."""
        return revisions(self.replica_sets, self.experiments, self.analysis_runs)

    @property
    def all_replica_sets(self) -> tuple[ReplicaSetView, ...]:
        """Its own ReplicaSets, then those of its experiments."""
        of_experiments = (view for item in self.experiments for view in item.replica_sets)
        return (*self.replica_sets, *of_experiments)

    @property
    def all_analysis_runs(self) -> tuple[AnalysisRunView, ...]:
        """Its own analysis runs, then those of its experiments."""
        of_experiments = (view for item in self.experiments for view in item.analysis_runs)
        return (*self.analysis_runs, *of_experiments)

    @property
    def split(self) -> tuple[Slice, ...]:
        """Who serves what."""
        return split(self.rollout, self.weights, self.replica_sets, self.experiments)


def build_view(cluster: str, rollout: Rollout, belongings: Belongings) -> RolloutView:
    """Derives a rollout's view.

    Args:
        cluster: The name of the spoke.
        rollout: The rollout as last delivered.
        belongings: What it owns; objects of other owners are ignored.
    """
    uid, own = rollout.metadata.uid, belongings
    at_phase = phase(rollout)
    all_steps = steps(rollout)
    replica_sets = replica_set_views(uid, rollout, own.replica_sets, own.pods)
    runs = analysis_run_views(uid, own.analysis_runs)
    experiments = experiment_views(
        uid, own.experiments, own.replica_sets, own.pods, own.analysis_runs
    )
    step = current_step(rollout, all_steps)
    index = step_index(rollout)
    waits = waiting(Circumstances(rollout, at_phase, step, runs, experiments))
    meta = rollout.metadata
    return RolloutView(
        ref=RolloutRef(cluster, meta.namespace, meta.name),
        rollout=rollout,
        phase=at_phase.phase,
        message=at_phase.message,
        strategy=_strategy(rollout),
        steps=all_steps,
        step_index=index,
        current_step=step,
        weights=weights(rollout, all_steps, replica_sets),
        progress=progress(rollout, at_phase.phase, index, len(all_steps), replica_sets, waits),
        replica_sets=replica_sets,
        analysis_runs=runs,
        experiments=experiments,
        images=_images(rollout, own),
        updated_at=meta.written_at or created(rollout),
        events=_events(own.events),
    )


def _strategy(rollout: Rollout) -> StrategyKind | None:
    if rollout.spec.strategy.canary is not None:
        return StrategyKind.CANARY
    return StrategyKind.BLUE_GREEN if rollout.spec.strategy.blue_green is not None else None


def _images(rollout: Rollout, own: Belongings) -> tuple[ContainerImage, ...]:
    return images(own.workload.spec.template if own.workload else rollout.spec.template)


def _events(events: Sequence[KubeEvent]) -> tuple[KubeEvent, ...]:
    return tuple(sorted(events, key=lambda event: event.age_key)[-MAX_EVENTS:])
