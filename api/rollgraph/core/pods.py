"""A pod in words: the STATUS, READY and RESTARTS that kubectl prints, and a category for machines.

Ported from the kubectl plugin's `newPodInfo` (pkg/kubectl-argo-rollouts/info/pod_info.go), which
follows kubectl's own printer but counts a container as ready only while it also runs.
"""

from enum import StrEnum

import msgspec

from rollgraph.core.objects.workloads import ContainerStateTerminated, ContainerStatus, Pod

# The kubelet's reason for a pod whose node is gone.
_NODE_LOST = "NodeLost"
_IMAGE_PROBLEMS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ImageInspectError",
        "ErrImageNeverPull",
        "RegistryUnavailable",
    }
)


class PodCategory(StrEnum):
    """The few states that a dashboard tells apart."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TERMINATING = "TERMINATING"
    CRASH_LOOP_BACK_OFF = "CRASH_LOOP_BACK_OFF"
    IMAGE_PULL_ERROR = "IMAGE_PULL_ERROR"
    UNKNOWN = "UNKNOWN"


class PodView(msgspec.Struct, frozen=True, gc=False):
    """A pod with what kubectl would print of it.

    Attributes:
        reason: The STATUS column, such as `Running`, `Init:0/1` or `CrashLoopBackOff`.
        ready_containers: Containers that are ready and running.
        total_containers: Containers of the spec, init containers not counted.
        restarts: Restarts of the containers; of the init containers only while those still run.
    """

    pod: Pod
    reason: str
    category: PodCategory
    ready_containers: int
    total_containers: int
    restarts: int

    @property
    def ready(self) -> bool:
        """The pod's own Ready condition."""
        conditions = self.pod.status.conditions or ()
        return any(c.type == "Ready" and c.status == "True" for c in conditions)


class _Containers(msgspec.Struct):
    reason: str
    ready: int = 0
    restarts: int = 0


def pod_view(pod: Pod) -> PodView:
    """Derives what kubectl would print of a pod."""
    found = _initialising(pod) or _running(pod)
    reason = found.reason
    if pod.metadata.deletion_timestamp is not None:
        reason = "Unknown" if pod.status.reason == _NODE_LOST else "Terminating"
    return PodView(
        pod=pod,
        reason=reason,
        category=_category(reason),
        ready_containers=found.ready,
        total_containers=len(pod.spec.containers or ()),
        restarts=found.restarts,
    )


def _initialising(pod: Pod) -> _Containers | None:
    """The state of the first init container that is not done; None when all are."""
    inits = pod.spec.init_containers or ()
    sidecars = {c.name for c in inits if c.restart_policy == "Always"}
    restarts = 0
    for place, container in enumerate(pod.status.init_container_statuses or ()):
        restarts += container.restart_count
        ended, waiting = container.state.terminated, container.state.waiting
        if ended is not None and ended.exit_code == 0:
            continue
        if ended is not None:
            return _Containers(f"Init:{_ending(ended)}", restarts=restarts)
        if container.name in sidecars and container.started:
            if container.ready:
                continue
            return None  # upstream stops looking here and goes on to the main containers
        if waiting is not None and waiting.reason not in ("", "PodInitializing"):
            return _Containers(f"Init:{waiting.reason}", restarts=restarts)
        return _Containers(f"Init:{place}/{len(inits)}", restarts=restarts)
    return None


def _running(pod: Pod) -> _Containers:
    """The state of the main containers.

    The first one that has something to say wins, as in kubectl.
    """
    found = _Containers(pod.status.reason or pod.status.phase)
    running = False
    for container in reversed(pod.status.container_statuses or ()):
        found.restarts += container.restart_count
        trouble = _trouble(container)
        if trouble:
            found.reason = trouble
        elif container.ready and container.state.running is not None:
            running = True
            found.ready += 1
    if found.reason == "Completed" and running:
        found.reason = "Running"
    return found


def _trouble(container: ContainerStatus) -> str:
    if container.state.waiting is not None and container.state.waiting.reason:
        return container.state.waiting.reason
    if container.state.terminated is not None:
        return _ending(container.state.terminated)
    return ""


def _ending(ended: ContainerStateTerminated) -> str:
    if ended.reason:
        return ended.reason
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"


def _category(reason: str) -> PodCategory:
    if reason in ("Running", "Terminating"):
        return PodCategory(reason.upper())
    if reason in ("Succeeded", "Completed"):
        return PodCategory.SUCCEEDED
    bare = reason.removeprefix("Init:")
    if bare == "CrashLoopBackOff":
        return PodCategory.CRASH_LOOP_BACK_OFF
    if bare in _IMAGE_PROBLEMS:
        return PodCategory.IMAGE_PULL_ERROR
    if bare in ("Pending", "ContainerCreating", "PodInitializing") or _counts(reason):
        return PodCategory.PENDING
    if reason in ("Unknown", ""):
        return PodCategory.UNKNOWN
    # Evicted, OOMKilled, Error, ExitCode:1, CreateContainerConfigError and their like.
    return PodCategory.FAILED


def _counts(reason: str) -> bool:
    """True for `Init:1/2`: init containers at work."""
    return reason.startswith("Init:") and "/" in reason
