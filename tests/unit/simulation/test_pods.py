"""Pods take their time, and fail as their image's tag says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.workloads import Pod
from rollgraph.core.pods import PodView, pod_view
from rollgraph.core.refs import Kind
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.controller.kubelet import Fault, fault_of
from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.node import Pace
from samples import encoded

START = datetime(2026, 1, 1, tzinfo=UTC)
PACE = Pace(start=(2, 2), stop=(3, 3), nodes=("node",))


class Life:
    """One ReplicaSet's life, to be looked at at any time."""

    def __init__(self, tag: str, replicas: int = 1) -> None:
        self.cluster = Cluster("c", 1, pace=PACE)
        self.now = START
        self._rs = self.cluster.store.create(_replica_set(tag, replicas), START, "test")
        self._due = self.cluster.act(START)

    def after(self, seconds: float) -> list[PodView]:
        end = START + timedelta(seconds=seconds)
        while self._due is not None and self._due <= end:
            self.now = self._due
            self._due = self.cluster.act(self.now)
        return self.pods

    def scale(self, replicas: int) -> None:
        held = self.cluster.store.get("ReplicaSet", "n", "rs")
        held = {**held, "spec": {**held["spec"], "replicas": replicas}}
        self.cluster.store.write(held, self.now, "test")
        self._due = self.cluster.act(self.now)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.store.get("ReplicaSet", "n", "rs")["status"]
        return found

    @property
    def pods(self) -> list[PodView]:
        return [_viewed(pod) for pod in self.cluster.store.items("Pod")]


def _replica_set(tag: str, replicas: int) -> Manifest:
    labels = {"rollouts-pod-template-hash": "h"}
    containers = [{"name": "app", "image": f"registry.example:5000/shop/cart:{tag}"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "rs", "namespace": "n", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def _viewed(pod: Manifest) -> PodView:
    decoded = kube_object(Kind.POD, encoded(pod))
    assert isinstance(decoded, Pod)
    return pod_view(decoded)


def test_a_pod_is_ready_after_a_while() -> None:
    life = Life("1.0.0", replicas=3)
    assert [pod.reason for pod in life.pods] == ["ContainerCreating"] * 3
    assert life.status["replicas"] == 3
    assert "readyReplicas" not in life.status
    assert [(pod.reason, pod.ready) for pod in life.after(2)] == [("Running", True)] * 3
    assert life.status["availableReplicas"] == 3
    addresses = {pod.pod.status.pod_ip for pod in life.pods}
    assert len(addresses) == 3


def test_a_pod_takes_leave() -> None:
    life = Life("1.0.0", replicas=3)
    life.after(10)
    life.scale(1)
    assert sorted(pod.reason for pod in life.pods) == ["Running", "Terminating", "Terminating"]
    assert life.status["replicas"] == 1
    assert [pod.reason for pod in life.after(13)] == ["Running"]


def test_a_pod_that_is_not_ready_goes_first() -> None:
    life = Life("1.0.0")
    life.after(2)
    (ready,) = life.pods
    life.scale(2)
    life.scale(1)
    assert [pod.pod.metadata.name for pod in life.after(60)] == [ready.pod.metadata.name]


def test_a_crashing_pod_restarts_ever_more_rarely() -> None:
    life = Life("1.0.0-crash")
    restarts = [life.after(seconds)[0].restarts for seconds in (3, 4, 16, 38, 80, 162, 244)]
    assert restarts == [0, 1, 2, 3, 4, 5, 6]
    assert (life.pods[0].reason, life.pods[0].ready) == ("CrashLoopBackOff", False)


def test_an_image_that_is_not_there_is_not_pulled() -> None:
    life = Life("1.0.0-nopull")
    assert life.after(2)[0].reason == "ErrImagePull"
    assert life.after(300)[0].reason == "ImagePullBackOff"


def test_a_pod_without_a_place_stays_pending() -> None:
    (pod,) = Life("1.0.0-pending").after(300)
    assert (pod.reason, pod.pod.spec.node_name) == ("Pending", "")


def test_a_slow_pod_is_slow() -> None:
    life = Life("1.0.0-slow")
    assert life.after(20)[0].reason == "ContainerCreating"
    assert life.after(22)[0].ready


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ("cart:1.0-crash", Fault.CRASH),
        ("registry.example:5000/cart:2-errors@sha256:0123", Fault.ERRORS),
        ("cart:1.0", Fault.NONE),
        ("cart:crash", Fault.CRASH),
        ("registry.example:5000/crash", Fault.NONE),
        ("cart-crash", Fault.NONE),
    ],
)
def test_the_end_of_the_tag_is_the_fault(image: str, fault: Fault) -> None:
    assert fault_of(image) is fault
