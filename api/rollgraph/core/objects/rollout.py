"""A Rollout: spec and status of `argoproj.io/v1alpha1`, read up to Argo Rollouts 1.10."""

import zlib
from typing import Any

import msgspec

from rollgraph.core.objects.meta import Condition, KubeObject, PodTemplate, Read, Time


class WorkloadReference(Read, frozen=True):
    """The Deployment (or other workload) that holds the pod template in the rollout's place."""

    api_version: str = ""
    kind: str = ""
    name: str = ""


class AnalysisTemplateReference(Read, frozen=True):
    """A template that an analysis runs."""

    template_name: str = ""
    cluster_scope: bool | None = None


class RolloutAnalysis(Read, frozen=True):
    """An analysis that a strategy asks for."""

    templates: list[AnalysisTemplateReference] | None = None
    starting_step: int | None = None


class CanaryStrategy(Read, frozen=True):
    """The canary strategy. `steps` stays raw: `core.steps` reads each, the unknown ones too."""

    canary_service: str = ""
    stable_service: str = ""
    steps: list[dict[str, Any]] | None = None
    traffic_routing: dict[str, Any] | None = None
    analysis: RolloutAnalysis | None = None
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None
    dynamic_stable_scale: bool = False
    ping_pong: dict[str, Any] | None = None


class BlueGreenStrategy(Read, frozen=True):
    """The blue-green strategy. Seconds are whole seconds."""

    active_service: str = ""
    preview_service: str = ""
    preview_replica_count: int | None = None
    auto_promotion_enabled: bool | None = None
    auto_promotion_seconds: int = 0
    scale_down_delay_seconds: int | None = None
    pre_promotion_analysis: RolloutAnalysis | None = None
    post_promotion_analysis: RolloutAnalysis | None = None


class Strategy(Read, frozen=True):
    """Exactly one of the two is set in a valid rollout."""

    canary: CanaryStrategy | None = None
    blue_green: BlueGreenStrategy | None = None


class RolloutSpec(Read, frozen=True):
    """What the user asked for."""

    replicas: int | None = None
    template: PodTemplate = PodTemplate()
    workload_ref: WorkloadReference | None = None
    strategy: Strategy = Strategy()
    paused: bool = False
    restart_at: Time | None = None
    progress_deadline_seconds: int | None = None


class PauseCondition(Read, frozen=True):
    """Why and since when the controller holds the rollout."""

    reason: str = ""
    start_time: Time | None = None


class AnalysisRunStatus(Read, frozen=True):
    """The rollout's own copy of an analysis run's state."""

    name: str = ""
    status: str = ""
    message: str = ""


class WeightDestination(Read, frozen=True):
    """Traffic that the router sends to one service, in units of the maximum weight."""

    weight: int = 0
    service_name: str = ""
    pod_template_hash: str = ""


class TrafficWeights(Read, frozen=True):
    """The weights that the controller last set, and whether the router confirmed them."""

    canary: WeightDestination = WeightDestination()
    stable: WeightDestination = WeightDestination()
    additional: list[WeightDestination] | None = None
    verified: bool | None = None


class StepPluginStatus(Read, frozen=True):
    """The state of a plugin step."""

    index: int = -1
    name: str = ""
    operation: str = ""
    phase: str = ""
    message: str = ""
    started_at: Time | None = None
    updated_at: Time | None = None
    finished_at: Time | None = None


class CanaryStatus(Read, frozen=True):
    """The state that only a canary has."""

    current_step_analysis_run_status: AnalysisRunStatus | None = None
    current_background_analysis_run_status: AnalysisRunStatus | None = None
    current_experiment: str = ""
    weights: TrafficWeights | None = None
    stable_ping_pong: str = ""
    step_plugin_statuses: list[StepPluginStatus] | None = None


class BlueGreenStatus(Read, frozen=True):
    """The state that only a blue-green rollout has. Selectors are pod template hashes."""

    preview_selector: str = ""
    active_selector: str = ""
    pre_promotion_analysis_run_status: AnalysisRunStatus | None = None
    post_promotion_analysis_run_status: AnalysisRunStatus | None = None


class RolloutDuration(Read, frozen=True):
    """How long the update took. Alpha in Argo Rollouts 1.11, absent before: never relied on."""

    rollout_started_at: Time | None = None
    finished_at: Time | None = None
    total_manual_pause_duration_seconds: int | None = None
    completion_status: str = ""


class RolloutStatus(Read, frozen=True):
    """What the controller reports. `observed_generation` is a string, as in the API."""

    phase: str = ""
    message: str = ""
    abort: bool = False
    aborted_at: Time | None = None
    pause_conditions: list[PauseCondition] | None = None
    controller_pause: bool = False
    promote_full: bool = False
    current_pod_hash: str = ""
    stable_rs: str = msgspec.field(default="", name="stableRS")
    current_step_index: int | None = None
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    hpa_replicas: int | None = msgspec.field(default=None, name="HPAReplicas")
    observed_generation: str = ""
    workload_observed_generation: str = ""
    restarted_at: Time | None = None
    conditions: list[Condition] | None = None
    canary: CanaryStatus = CanaryStatus()
    blue_green: BlueGreenStatus = BlueGreenStatus()
    duration: RolloutDuration | None = None


class Rollout(KubeObject, frozen=True):
    """A Rollout.

    Attributes:
        manifest: Its JSON without managedFields and last-applied-configuration, compressed.
    """

    spec: RolloutSpec = RolloutSpec()
    status: RolloutStatus = RolloutStatus()
    manifest: bytes = b""

    @property
    def manifest_json(self) -> bytes:
        """Its JSON without managedFields and last-applied; b"" if it is not known."""
        return zlib.decompress(self.manifest) if self.manifest else b""

    @property
    def desired(self) -> int:
        """Pods that the spec asks for: 1 when it does not say."""
        return 1 if self.spec.replicas is None else self.spec.replicas

    @property
    def fully_promoted(self) -> bool:
        """True when the newest template is the stable one."""
        return self.status.stable_rs == self.status.current_pod_hash
