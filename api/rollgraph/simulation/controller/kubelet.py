"""What becomes of a pod: it starts, it is ready after a while, or it is not and never will be."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from rollgraph.simulation.manifests import Manifest, stamp, status_of


class Fault(StrEnum):
    """What is wrong with an image; the end of its tag says so."""

    NONE = ""
    CRASH = "crash"
    NO_PULL = "nopull"
    PENDING = "pending"
    SLOW = "slow"
    ERRORS = "errors"


def fault_of(image: str) -> Fault:
    """The fault of an image: that of `shop/cart:2.1-crash` is CRASH."""
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    ending = tag.rpartition("-")[2]
    return Fault(ending) if ending in set(Fault) else Fault.NONE


def fault_of_pods(spec: Manifest) -> Fault:
    """The first fault of a pod's containers."""
    faults = (fault_of(container["image"]) for container in spec.get("containers") or ())
    return next((fault for fault in faults if fault), Fault.NONE)


def creating(pod: Manifest, now: datetime) -> Manifest:
    """The pod on its node, before its containers run."""
    return _with(pod, now, "Pending", {"waiting": {"reason": "ContainerCreating"}})


def waiting(pod: Manifest, now: datetime, reason: str, restarts: int = 0) -> Manifest:
    """The pod with containers that do not run, for a reason."""
    phase = "Running" if restarts else "Pending"
    return _with(pod, now, phase, {"waiting": {"reason": reason}}, restarts=restarts)


def running(pod: Manifest, now: datetime, address: str) -> Manifest:
    """The pod at work."""
    state = {"running": {"startedAt": stamp(now)}}
    made = _with(pod, now, "Running", state, ready=True)
    status = {**made["status"], "podIP": address, "podIPs": [{"ip": address}]}
    return {**made, "status": status}


def _with(
    pod: Manifest,
    now: datetime,
    phase: str,
    state: Mapping[str, Manifest],
    *,
    ready: bool = False,
    restarts: int = 0,
) -> Manifest:
    at, spec, before = stamp(now), pod["spec"], status_of(pod)
    truth = {"PodScheduled": True, "Initialized": True, "Ready": ready, "ContainersReady": ready}
    status = {
        "phase": phase,
        "conditions": [
            {
                "type": type_,
                "status": str(value),
                "lastProbeTime": None,
                "lastTransitionTime": at,
                **({} if value else {"reason": "ContainersNotReady"}),
            }
            for type_, value in truth.items()
        ],
        "startTime": before.get("startTime", at),
        "containerStatuses": [
            _container(container, state, ready, restarts) for container in spec["containers"]
        ],
        "qosClass": "BestEffort",
    }
    inits = [_init_container(container, at) for container in spec.get("initContainers") or ()]
    if inits:
        status["initContainerStatuses"] = inits
    return {**pod, "status": status}


def _container(
    container: Manifest, state: Mapping[str, Manifest], ready: bool, restarts: int
) -> Manifest:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": {},
    }


def _init_container(container: Manifest, at: str) -> Manifest:
    sidecar = container.get("restartPolicy") == "Always"
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at}}
    state = {"running": {"startedAt": at}} if sidecar else done
    return {**_container(container, state, True, 0), "started": sidecar}
