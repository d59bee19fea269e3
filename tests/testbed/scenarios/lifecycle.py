"""What happens to rollouts of any strategy: pauses by hand, restarts, failures, references."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from testbed.cluster import Object
from testbed.scenarios.manifests import (
    CONTAINER,
    IMAGE,
    canary,
    pause,
    pod_spec,
    rollout,
    template,
    weight,
)
from testbed.scenarios.stage import Scenario, Stage

DEADLINE = 5  # seconds without progress
HOUR = timedelta(hours=1)


def _manually_paused(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    s.wait_phase("Healthy")
    s.plugin("pause")
    s.wait_phase("Paused", "manually paused")
    yield "paused while idle"
    s.set_image("yellow")
    s.wait(lambda found: True, "the new template")
    yield "a new template waits"
    s.patch({"paused": False})
    s.wait_step(1)
    yield "resumed, paused at its step"


def _restarted(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    s.wait_phase("Healthy")
    s.patch({"restartAt": _rfc3339(datetime.now(UTC) + HOUR)})
    s.wait_phase("Progressing", "rollout is restarting")
    yield "restart in an hour"
    s.plugin("restart")
    s.wait_phase("Healthy")
    yield "restarted"


def _scaled_to_zero(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    s.wait_phase("Healthy")
    s.patch({"replicas": 0})
    s.wait(lambda found: not found["status"].get("replicas"), "no replicas")
    yield "no replicas"
    s.patch({"replicas": 3})
    s.wait(lambda found: found["status"].get("availableReplicas") == 3, "3 replicas")
    yield "3 replicas"


def _deadline(s: Stage) -> Iterator[str]:
    strategy = canary(weight(50), pause())
    s.apply(rollout(s.rollout, strategy, progressDeadlineSeconds=DEADLINE))
    s.wait_phase("Healthy")
    s.set_image("red", stuck=True)
    s.wait_phase("Degraded", "ProgressDeadlineExceeded")
    yield "new pods pending past the deadline"
    _fail_pods(s, "ImagePullBackOff", restarts=0)
    yield "new pods cannot pull their image"
    _fail_pods(s, "CrashLoopBackOff", restarts=3)
    yield "new pods crash"
    s.set_image("yellow")
    s.wait_step(1)
    yield "mended, paused at 50 %"


def _deadline_aborts(s: Stage) -> Iterator[str]:
    limits = {"progressDeadlineSeconds": DEADLINE, "progressDeadlineAbort": True}
    s.apply(rollout(s.rollout, canary(weight(50), pause()), **limits))
    s.wait_phase("Healthy")
    s.set_image("red", stuck=True)
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted by the deadline"


def _fail_pods(s: Stage, reason: str, *, restarts: int) -> None:
    """Say of pending pods what a kubelet would; no fake kubelet looks after them."""
    for pod in s.cluster.list("Pod", s.namespace):
        if pod["spec"].get("nodeName"):
            continue
        container = {
            "name": CONTAINER,
            "image": pod["spec"]["containers"][0]["image"],
            "imageID": "",
            "ready": False,
            "restartCount": restarts,
            "state": {"waiting": {"reason": reason}},
        }
        status = {"status": {"containerStatuses": [container]}}
        s.cluster.patch("Pod", pod["metadata"]["name"], status, s.namespace, sub="status")


def _many_containers(s: Stage) -> Iterator[str]:
    digest = f"{IMAGE}@sha256:{'0' * 64}"
    spec = {
        **pod_spec("blue"),
        "initContainers": [
            {"name": "setup", "image": "registry.example:5000/setup:1.0"},
            {"name": "proxy", "image": "proxy:2", "restartPolicy": "Always"},
        ],
        "containers": [{"name": "first", "image": digest}, {"name": "second", "image": "second"}],
    }
    pods = {"metadata": {"labels": {"app": s.rollout}}, "spec": spec}
    s.apply(rollout(s.rollout, canary(weight(50), pause()), template=pods))
    s.wait_phase("Healthy")
    yield "init containers, a sidecar, a digest"


def _invalid(s: Stage) -> Iterator[str]:
    strategy = canary(weight(50), stableService="missing", canaryService="missing-too")
    s.apply(rollout(s.rollout, strategy))
    s.wait_phase("Degraded", "InvalidSpec")
    yield "its services do not exist"


def _referenced(s: Stage) -> Iterator[str]:
    s.apply(_deployment(s.rollout, "blue"), _referring(s.rollout))
    s.wait_phase("Healthy")
    yield "first revision healthy"
    s.patch({"template": {"spec": pod_spec("yellow")}}, kind="Deployment")
    s.wait_step(1)
    yield "paused after a change of the Deployment"
    s.plugin("promote")
    s.wait_phase("Healthy")
    yield "promoted"


def _deployment(name: str, tag: str) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, tag),
        },
    }


def _referring(name: str) -> Object:
    found = rollout(
        name,
        canary(weight(50), pause()),
        workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
    )
    # With a reference, the template and the selector are the Deployment's.
    spec = {k: v for k, v in found["spec"].items() if k not in {"template", "selector"}}
    return {**found, "spec": spec}


def _rfc3339(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


ALL = (
    Scenario("manually-paused", "spec.paused while idle and during an update", _manually_paused),
    Scenario("restarted", "a restart to come, then one now", _restarted),
    Scenario("scaled-to-zero", "no replicas, then three", _scaled_to_zero),
    Scenario("deadline", "pods that never start", _deadline),
    Scenario("deadline-aborts", "pods that never start end the update", _deadline_aborts),
    Scenario("containers", "pods of several containers", _many_containers),
    Scenario("invalid", "a spec that the controller refuses", _invalid),
    Scenario("workload-ref", "the pod template is a Deployment's", _referenced),
)
