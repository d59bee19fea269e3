"""AnalysisRuns and Experiments of a rollout: why each runs, its counts, its Jobs."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from rollgraph.core.integers import integer
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.workloads import Pod, ReplicaSet
from rollgraph.core.replicasets import ReplicaSetView, created, replica_set_views

TYPE_LABEL = "rollout-type"
STEP_INDEX_LABEL = "step-index"


class AnalysisPhase(StrEnum):
    """Where a run, a metric, a measurement or an experiment stands. UNKNOWN.

    A phase of a later version, or none yet.
    """

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"
    UNKNOWN = "Unknown"


class AnalysisRunKind(StrEnum):
    """Why a run exists; STANDALONE: nobody says."""

    STEP = "Step"
    BACKGROUND = "Background"
    PRE_PROMOTION = "PrePromotion"
    POST_PROMOTION = "PostPromotion"
    EXPERIMENT = "Experiment"
    STANDALONE = "Standalone"


class JobView(msgspec.Struct, frozen=True, gc=False):
    """A Job that measured something; known from the measurement, the Job itself is not watched."""

    name: str
    namespace: str
    metric: str
    phase: AnalysisPhase
    started_at: datetime | None = None


class Counts(msgspec.Struct, frozen=True, gc=False):
    """Measurements of all metrics by verdict, dry runs included, as the plugin adds them up."""

    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0


class AnalysisRunView(msgspec.Struct, frozen=True, gc=False):
    """An AnalysisRun with what Rollgraph derives from it."""

    run: AnalysisRun
    kind: AnalysisRunKind
    phase: AnalysisPhase
    revision: int
    step_index: int | None
    counts: Counts
    jobs: tuple[JobView, ...] = ()


class ExperimentView(msgspec.Struct, frozen=True, gc=False):
    """An Experiment with its ReplicaSets and AnalysisRuns."""

    experiment: Experiment
    phase: AnalysisPhase
    revision: int
    replica_sets: tuple[ReplicaSetView, ...] = ()
    analysis_runs: tuple[AnalysisRunView, ...] = ()


def analysis_phase(text: str) -> AnalysisPhase:
    """The phase with this name; UNKNOWN for any other text."""
    try:
        return AnalysisPhase(text)
    except ValueError:
        return AnalysisPhase.UNKNOWN


def analysis_run_views(
    owner_uid: str, runs: Iterable[AnalysisRun], kind: AnalysisRunKind = AnalysisRunKind.STANDALONE
) -> tuple[AnalysisRunView, ...]:
    """The runs of one owner, newest revision first.

    Args:
        owner_uid: The rollout's or experiment's UID.
        runs: Candidates; those of other owners are left out.
        kind: What a run is that has no `rollout-type` label.
    """
    views = [_run_view(run, kind) for run in runs if owner_uid in run.metadata.owner_uids]
    # Within a revision the oldest comes first; the plugin breaks ties by name, backwards.
    views.sort(key=lambda view: view.run.metadata.name, reverse=True)
    return tuple(sorted(views, key=lambda view: (-view.revision, created(view.run))))


def experiment_views(
    owner_uid: str,
    experiments: Iterable[Experiment],
    replica_sets: Iterable[ReplicaSet],
    pods: Iterable[Pod],
    runs: Iterable[AnalysisRun],
) -> tuple[ExperimentView, ...]:
    """The experiments of a rollout, newest revision first; the other arguments are candidates."""
    views = [
        ExperimentView(
            experiment=experiment,
            phase=analysis_phase(experiment.status.phase),
            revision=experiment.metadata.revision,
            replica_sets=replica_set_views(experiment.metadata.uid, None, replica_sets, pods),
            analysis_runs=analysis_run_views(
                experiment.metadata.uid, runs, AnalysisRunKind.EXPERIMENT
            ),
        )
        for experiment in experiments
        if owner_uid in experiment.metadata.owner_uids
    ]
    # Within a revision the oldest comes first; the plugin leaves ties open, we break them by name.
    views.sort(key=lambda view: view.experiment.metadata.name)
    return tuple(sorted(views, key=lambda view: (-view.revision, created(view.experiment))))


def _run_view(run: AnalysisRun, default: AnalysisRunKind) -> AnalysisRunView:
    results = run.status.metric_results or ()
    return AnalysisRunView(
        run=run,
        kind=_kind(run, default),
        phase=analysis_phase(run.status.phase),
        revision=run.metadata.revision,
        step_index=_step_index(run),
        counts=Counts(
            successful=sum(result.successful for result in results),
            failed=sum(result.failed for result in results),
            inconclusive=sum(result.inconclusive for result in results),
            error=sum(result.error for result in results),
        ),
        jobs=tuple(_jobs(run)),
    )


def _kind(run: AnalysisRun, default: AnalysisRunKind) -> AnalysisRunKind:
    try:
        return AnalysisRunKind(run.metadata.label(TYPE_LABEL))
    except ValueError:
        return default


def _step_index(run: AnalysisRun) -> int | None:
    return integer(run.metadata.label(STEP_INDEX_LABEL))


def _jobs(run: AnalysisRun) -> Iterable[JobView]:
    for result in run.status.metric_results or ():
        for measurement in result.measurements or ():
            metadata = measurement.metadata or {}
            if "job-name" in metadata:
                yield JobView(
                    name=metadata["job-name"],
                    namespace=metadata.get("job-namespace", run.metadata.namespace),
                    metric=result.name,
                    phase=analysis_phase(measurement.phase),
                    started_at=measurement.started_at,
                )
