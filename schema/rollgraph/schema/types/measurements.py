"""Measurements: what a metric asks, what came of it, and the verdicts counted."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from rollgraph.core.analysis import AnalysisPhase, JobView, analysis_phase
from rollgraph.core.durations import go_duration
from rollgraph.core.objects import analysis as objects
from rollgraph.schema.described import resolved


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


def analysis_job(view: JobView) -> AnalysisJob:
    """The GraphQL object of a Job that measured something."""
    return AnalysisJob(
        name=view.name,
        namespace=view.namespace,
        metric=view.metric,
        phase=view.phase,
        started_at=view.started_at,
    )


def run_summary(summary: objects.RunSummary | None) -> RunSummary | None:
    """The GraphQL object of a run's count of its metrics."""
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
