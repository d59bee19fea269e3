"""ReplicaSets, pods and the Deployments that a workloadRef names."""

import msgspec

from rollgraph.core.objects.meta import Condition, KubeObject, PodSpec, PodTemplate, Read, Time

POD_TEMPLATE_HASH_LABEL = "rollouts-pod-template-hash"
SCALE_DOWN_DEADLINE_ANNOTATION = "scale-down-deadline"
EXPERIMENT_TEMPLATE_ANNOTATION = "experiment.argoproj.io/template-name"


class ReplicaSetSpec(Read, frozen=True):
    """What a ReplicaSet is asked to run."""

    replicas: int | None = None
    template: PodTemplate = PodTemplate()


class ReplicaSetStatus(Read, frozen=True):
    """What a ReplicaSet runs."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: list[Condition] | None = None


class ReplicaSet(KubeObject, frozen=True):
    """A ReplicaSet that belongs to a Rollout or an Experiment."""

    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()

    @property
    def pod_template_hash(self) -> str:
        """The hash of the template that it runs."""
        return self.metadata.label(POD_TEMPLATE_HASH_LABEL)


class ContainerStateWaiting(Read, frozen=True):
    """A container that has not started."""

    reason: str = ""


class ContainerStateRunning(Read, frozen=True):
    """A container that runs."""

    started_at: Time | None = None


class ContainerStateTerminated(Read, frozen=True):
    """A container that ended."""

    reason: str = ""
    exit_code: int = 0
    signal: int = 0


class ContainerState(Read, frozen=True):
    """At most one of the three is set."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Read, frozen=True):
    """The state of one container."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()


class PodStatus(Read, frozen=True):
    """The state of a pod as its kubelet reports it."""

    phase: str = ""
    reason: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    start_time: Time | None = None
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(KubeObject, frozen=True):
    """A pod of a rollout's or experiment's ReplicaSet."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class DeploymentSpec(Read, frozen=True):
    """The template that a workloadRef borrows."""

    template: PodTemplate = PodTemplate()


class Deployment(KubeObject, frozen=True):
    """A Deployment, read only where a rollout's workloadRef names it."""

    spec: DeploymentSpec = DeploymentSpec()
