"""AnalysisRuns and Experiments of `argoproj.io/v1alpha1`."""

from typing import Any

from rollgraph.core.objects.meta import Condition, KubeObject, Read, Time


class Metric(Read, frozen=True):
    """What a run measures. Limits and counts are numbers or templated strings.

    Durations are Go's text form.
    """

    name: str = ""
    interval: str = ""
    initial_delay: str = ""
    count: int | str | None = None
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: int | str | None = None
    inconclusive_limit: int | str | None = None
    consecutive_success_limit: int | str | None = None
    provider: dict[str, Any] | None = None


class Measurement(Read, frozen=True):
    """One measurement. `value` is the provider's text form."""

    phase: str = ""
    value: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None
    resume_at: Time | None = None
    metadata: dict[str, str] | None = None


class MetricResult(Read, frozen=True):
    """All measurements of one metric, and their counts."""

    name: str = ""
    phase: str = ""
    message: str = ""
    dry_run: bool = False
    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    measurements: list[Measurement] | None = None


class RunSummary(Read, frozen=True):
    """Counts over all metrics."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0


class AnalysisRunSpec(Read, frozen=True):
    """What the run does."""

    metrics: list[Metric] | None = None
    terminate: bool = False


class AnalysisRunState(Read, frozen=True):
    """How the run fares."""

    phase: str = ""
    message: str = ""
    started_at: Time | None = None
    completed_at: Time | None = None
    metric_results: list[MetricResult] | None = None
    run_summary: RunSummary | None = None
    dry_run_summary: RunSummary | None = None


class AnalysisRun(KubeObject, frozen=True):
    """An AnalysisRun."""

    spec: AnalysisRunSpec = AnalysisRunSpec()
    status: AnalysisRunState = AnalysisRunState()


class ExperimentTemplateSpec(Read, frozen=True):
    """One template that an experiment runs."""

    name: str = ""
    replicas: int | None = None


class ExperimentSpec(Read, frozen=True):
    """What the experiment does. `duration` is Go's text form."""

    templates: list[ExperimentTemplateSpec] | None = None
    duration: str = ""
    terminate: bool = False


class ExperimentTemplateStatus(Read, frozen=True):
    """How one template fares."""

    name: str = ""
    status: str = ""
    message: str = ""
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    service_name: str = ""
    pod_template_hash: str = ""


class ExperimentAnalysisRunStatus(Read, frozen=True):
    """An experiment's own copy of an analysis run's state."""

    name: str = ""
    analysis_run: str = ""
    phase: str = ""
    message: str = ""


class ExperimentState(Read, frozen=True):
    """How the experiment fares."""

    phase: str = ""
    message: str = ""
    available_at: Time | None = None
    template_statuses: list[ExperimentTemplateStatus] | None = None
    analysis_runs: list[ExperimentAnalysisRunStatus] | None = None
    conditions: list[Condition] | None = None


class Experiment(KubeObject, frozen=True):
    """An Experiment."""

    spec: ExperimentSpec = ExperimentSpec()
    status: ExperimentState = ExperimentState()
