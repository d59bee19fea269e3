"""An analysis of a rollout: what it measures, and its verdict."""

from datetime import datetime
from typing import ClassVar

import strawberry

from rollgraph.core.analysis import AnalysisPhase, AnalysisRunKind, AnalysisRunView
from rollgraph.core.objects import analysis as objects
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved, resolved_as
from rollgraph.schema.inputs import TimeFilter
from rollgraph.schema.types.kubernetes import KubernetesObject, belonging_id
from rollgraph.schema.types.measurements import (
    AnalysisJob,
    MetricResult,
    RunSummary,
    analysis_job,
    run_summary,
)
from rollgraph.schema.types.owners import OptionalRollout, owning_rollout


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

    @resolved
    def rollout(self, info: Info) -> OptionalRollout:
        """The rollout that it belongs to."""
        return owning_rollout(info, self.owner)

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
        return run_summary(self.view.run.status.run_summary)

    @resolved
    def dry_run_summary(self) -> RunSummary | None:
        """Its dry-run metrics by verdict."""
        return run_summary(self.view.run.status.dry_run_summary)

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
        return [analysis_job(job) for job in self.view.jobs]


def analysis_run(owner: RolloutRef, view: AnalysisRunView) -> AnalysisRun:
    """The GraphQL object of an analysis run."""
    return AnalysisRun(
        cluster_name=owner.cluster,
        source=view.run,
        owner=owner,
        view=view,
    )
