"""AnalysisRuns and Experiments: what is measured, and the verdicts."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

import strawberry

from rollgraph.core.analysis import (
    AnalysisPhase,
    AnalysisRunKind,
    AnalysisRunView,
    ExperimentView,
    JobView,
    analysis_phase,
)
from rollgraph.core.durations import go_duration
from rollgraph.core.objects import analysis as objects
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.verbs import Scope
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved, resolved_as
from rollgraph.schema.guard import guarded
from rollgraph.schema.inputs import TimeFilter
from rollgraph.schema.types.kubernetes import (
    Condition,
    KubernetesObject,
    belonging_id,
    conditions,
)
from rollgraph.schema.types.references import referred
from rollgraph.schema.types.replicas import ReplicaCounts, ReplicaSet, replica_set

if TYPE_CHECKING:
    from rollgraph.schema.types.rollout import Rollout

    OptionalRollout: TypeAlias = Rollout | None
else:
    OptionalRollout = Annotated["Rollout", strawberry.lazy("rollgraph.schema.types.rollout")] | None


@strawberry.type(description="Measurements by verdict.")
class RunSummary:
    """Measurements by verdict."""

    count: int = strawberry.field(description="All that count.")
    successful: int = strawberry.field(description="Those that passed.")
    failed: int = strawberry.field(description="Those that failed.")
    inconclusive: int = strawberry.field(description="Those that came to no verdict.")
    error: int = strawberry.field(description="Those that could not be made.")


@strawberry.type(description="One measurement of a metric.")
class Measurement:
    """One measurement of a metric."""

    phase: AnalysisPhase = strawberry.field(description="Its verdict.")
    value: str | None = strawberry.field(description="What was measured, as text.")
    numeric_value: float | None = strawberry.field(
        description="What was measured, if that is one number."
    )
    message: str | None = strawberry.field(description="What went wrong, if anything did.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    resume_at: datetime | None = strawberry.field(
        description="When it goes on, if the provider asked to wait."
    )


@strawberry.type(description="A Job that measured something.")
class AnalysisJob:
    """A Job that measured something."""

    name: str = strawberry.field(description="The Job's name.")
    namespace: str = strawberry.field(description="The Job's namespace.")
    metric: str = strawberry.field(description="The metric that it measured.")
    phase: AnalysisPhase = strawberry.field(description="Its verdict.")
    started_at: datetime | None = strawberry.field(description="When it began.")


@strawberry.type(description="A metric of an analysis run: what it asks, and its measurements.")
class MetricResult:
    """A metric of an analysis run: what it asks, and its measurements."""

    result: strawberry.Private[objects.MetricResult]
    metric: strawberry.Private[objects.Metric]

    @resolved
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    @resolved
    def provider(self) -> str | None:
        """What measures it: `prometheus`, `web`, `job`."""
        return next(iter(self.metric.provider or {}), None)

    @resolved
    def phase(self) -> AnalysisPhase:
        """Its verdict so far."""
        return analysis_phase(self.result.phase)

    @resolved
    def message(self) -> str | None:
        """Why it is so."""
        return self.result.message or None

    @resolved
    def dry_run(self) -> bool:
        """Whether its verdict is only for the record."""
        return self.result.dry_run

    @resolved
    def summary(self) -> RunSummary:
        """Its measurements by verdict."""
        result = self.result
        return RunSummary(
            count=result.count,
            successful=result.successful,
            failed=result.failed,
            inconclusive=result.inconclusive,
            error=result.error,
        )

    @resolved
    def consecutive_error(self) -> int:
        """Errors in a row."""
        return self.result.consecutive_error

    @resolved
    def consecutive_success(self) -> int:
        """Successes in a row."""
        return self.result.consecutive_success

    @resolved
    def success_condition(self) -> str | None:
        """The expression that makes a measurement pass."""
        return self.metric.success_condition or None

    @resolved
    def failure_condition(self) -> str | None:
        """The expression that makes a measurement fail."""
        return self.metric.failure_condition or None

    @resolved
    def interval(self) -> timedelta | None:
        """The time between measurements."""
        return go_duration(self.metric.interval) if self.metric.interval else None

    @resolved
    def count(self) -> int | None:
        """Measurements to make; null if that is not limited."""
        return _number(self.metric.count)

    @resolved
    def failure_limit(self) -> int | None:
        """Failures that are forgiven."""
        return _number(self.metric.failure_limit)

    @resolved
    def inconclusive_limit(self) -> int | None:
        """Inconclusive measurements that are forgiven."""
        return _number(self.metric.inconclusive_limit)

    @resolved
    def measurements(
        self,
        last: Annotated[
            int, strawberry.argument(description="At most so many of the newest.")
        ] = 10,
    ) -> list[Measurement]:
        """Its newest measurements, oldest first; Argo keeps 10 by default."""
        kept = self.result.measurements or []
        return [measurement(item) for item in kept[max(len(kept) - max(last, 0), 0) :]]


@strawberry.input(description="Which analysis runs; every part that is set must hold.")
class AnalysisRunFilter:
    """Which analysis runs; every part that is set must hold."""

    phase: list[AnalysisPhase] | None = strawberry.field(
        description="In one of these phases.", default=None
    )
    kind: list[AnalysisRunKind] | None = strawberry.field(
        description="Of one of these kinds.", default=None
    )
    started_at: TimeFilter | None = strawberry.field(
        description="Begun in this span of time.", default=None
    )

    def holds(self, view: AnalysisRunView) -> bool:
        """Whether a run is wanted."""
        if self.phase is not None and view.phase not in self.phase:
            return False
        if self.kind is not None and view.kind not in self.kind:
            return False
        return self.started_at is None or self.started_at.holds(view.run.status.started_at)


@strawberry.federation.type(
    keys=["id"], description="An analysis of a rollout: metrics, measurements and a verdict."
)
class AnalysisRun(KubernetesObject):
    """An analysis of a rollout: metrics, measurements and a verdict."""

    # In the core `kind` is the Kubernetes kind; in the schema it is why the run exists.
    kind: ClassVar[Kind] = Kind.ANALYSIS_RUN
    owner: strawberry.Private[RolloutRef]
    view: strawberry.Private[AnalysisRunView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return belonging_id("AnalysisRun", self.owner, self.source)

    @classmethod
    def resolve_reference(cls, info: Info, **reference: str) -> "AnalysisRun | None":
        """The run that a router's reference means."""
        return referred(cls, info, reference.get("id", ""))

    @resolved
    def rollout(self, info: Info) -> OptionalRollout:
        """The rollout that it belongs to."""
        from rollgraph.schema.types.rollout import rollout_of

        return rollout_of(info, self.owner)

    @resolved_as("kind")
    def run_kind(self) -> AnalysisRunKind:
        """Why it exists."""
        return self.view.kind

    @resolved
    def step_index(self) -> int | None:
        """The canary step that asked for it."""
        return self.view.step_index

    @resolved
    def revision(self) -> int:
        """The revision that it judges; 0 if it does not say."""
        return self.view.revision

    @resolved
    def phase(self) -> AnalysisPhase:
        """Its verdict so far."""
        return self.view.phase

    @resolved
    def message(self) -> str | None:
        """Why it is so."""
        return self.view.run.status.message or None

    @resolved
    def started_at(self) -> datetime | None:
        """When it began."""
        return self.view.run.status.started_at

    @resolved
    def completed_at(self) -> datetime | None:
        """When it ended."""
        return self.view.run.status.completed_at

    @resolved
    def terminated(self) -> bool:
        """Whether someone has asked it to stop."""
        return self.view.run.spec.terminate

    @resolved
    def measurement_counts(self) -> RunSummary:
        """Measurements of all its metrics by verdict, dry runs included."""
        counts, results = self.view.counts, self.view.run.status.metric_results or ()
        return RunSummary(
            count=sum(result.count for result in results),
            successful=counts.successful,
            failed=counts.failed,
            inconclusive=counts.inconclusive,
            error=counts.error,
        )

    @resolved
    def summary(self) -> RunSummary | None:
        """Its metrics by verdict, without dry runs."""
        return _summary(self.view.run.status.run_summary)

    @resolved
    def dry_run_summary(self) -> RunSummary | None:
        """Its dry-run metrics by verdict."""
        return _summary(self.view.run.status.dry_run_summary)

    @resolved
    def metrics(self) -> list[MetricResult]:
        """What it measures, in the order of its spec."""
        run = self.view.run
        results = {result.name: result for result in run.status.metric_results or ()}
        return [
            MetricResult(
                metric=metric, result=results.get(metric.name) or objects.MetricResult(metric.name)
            )
            for metric in run.spec.metrics or ()
        ]

    @resolved
    def jobs(self) -> list[AnalysisJob]:
        """The Jobs that measured for it."""
        return [_job(job) for job in self.view.jobs]


@strawberry.type(description="One template that an experiment runs.")
class ExperimentTemplate:
    """One template that an experiment runs."""

    name: str = strawberry.field(description="The template's name.")
    status: str = strawberry.field(description="How it fares, in the controller's word.")
    message: str | None = strawberry.field(description="Why it is so.")
    replicas: ReplicaCounts = strawberry.field(description="Its pods.")
    pod_template_hash: str | None = strawberry.field(description="The hash of its template.")
    service_name: str | None = strawberry.field(description="The Service that leads to it.")


@strawberry.type(description="An experiment of a rollout: templates that run side by side.")
class Experiment(KubernetesObject):
    """An experiment of a rollout: templates that run side by side."""

    kind: ClassVar[Kind] = Kind.EXPERIMENT
    owner: strawberry.Private[RolloutRef]
    view: strawberry.Private[ExperimentView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return belonging_id("Experiment", self.owner, self.source)

    @resolved
    def rollout(self, info: Info) -> OptionalRollout:
        """The rollout that it belongs to."""
        from rollgraph.schema.types.rollout import rollout_of

        return rollout_of(info, self.owner)

    @resolved
    def phase(self) -> AnalysisPhase:
        """Where it stands."""
        return self.view.phase

    @resolved
    def message(self) -> str | None:
        """Why it is so."""
        return self.view.experiment.status.message or None

    @resolved
    def revision(self) -> int:
        """The revision that asked for it; 0 if it does not say."""
        return self.view.revision

    @resolved
    def available_at(self) -> datetime | None:
        """When all its templates had become available."""
        return self.view.experiment.status.available_at

    @resolved
    def duration(self) -> timedelta | None:
        """How long it runs once available; null until its analyses end."""
        return go_duration(self.view.experiment.spec.duration)

    @resolved
    def templates(self) -> list[ExperimentTemplate]:
        """What it runs."""
        wanted = {t.name: t.replicas for t in self.view.experiment.spec.templates or ()}
        return [
            _template(status, wanted.get(status.name))
            for status in self.view.experiment.status.template_statuses or ()
        ]

    @resolved
    def replica_sets(self) -> list[ReplicaSet]:
        """Its ReplicaSets, by name."""
        return [replica_set(self.owner, view) for view in self.view.replica_sets]

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(self) -> list[AnalysisRun]:
        """Its analysis runs, oldest first."""
        return [analysis_run(self.owner, view) for view in self.view.analysis_runs]

    @resolved
    def conditions(self) -> list[Condition]:
        """Its conditions."""
        return conditions(self.view.experiment.status.conditions)


def analysis_run(owner: RolloutRef, view: AnalysisRunView) -> AnalysisRun:
    """The GraphQL object of an analysis run."""
    return AnalysisRun(
        cluster_name=owner.cluster,
        source=view.run,
        owner=owner,
        view=view,
    )


def experiment(owner: RolloutRef, view: ExperimentView) -> Experiment:
    """The GraphQL object of an experiment."""
    return Experiment(
        cluster_name=owner.cluster,
        source=view.experiment,
        owner=owner,
        view=view,
    )


def _template(status: objects.ExperimentTemplateStatus, wanted: int | None) -> ExperimentTemplate:
    return ExperimentTemplate(
        name=status.name,
        status=status.status,
        message=status.message or None,
        replicas=ReplicaCounts(
            desired=1 if wanted is None else wanted,
            current=status.replicas,
            updated=status.updated_replicas,
            ready=status.ready_replicas,
            available=status.available_replicas,
        ),
        pod_template_hash=status.pod_template_hash or None,
        service_name=status.service_name or None,
    )


def measurement(item: objects.Measurement) -> Measurement:
    """The GraphQL object of a measurement."""
    return Measurement(
        phase=analysis_phase(item.phase),
        value=item.value or None,
        numeric_value=_numeric(item.value),
        message=item.message or None,
        started_at=item.started_at,
        finished_at=item.finished_at,
        resume_at=item.resume_at,
    )


def _job(view: JobView) -> AnalysisJob:
    return AnalysisJob(
        name=view.name,
        namespace=view.namespace,
        metric=view.metric,
        phase=view.phase,
        started_at=view.started_at,
    )


def _summary(summary: objects.RunSummary | None) -> RunSummary | None:
    if summary is None:
        return None
    return RunSummary(
        count=summary.count,
        successful=summary.successful,
        failed=summary.failed,
        inconclusive=summary.inconclusive,
        error=summary.error,
    )


def _numeric(value: str) -> float | None:
    """The value as a number; a list of one entry, as Prometheus answers, counts as that entry."""
    try:
        number = float(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # NaN too: GraphQL has neither


def _number(value: int | str | None) -> int | None:
    if isinstance(value, str):
        return int(value) if value.isdigit() else None
    return value
