"""Many small rollouts, and changes to them at a steady rate: for tests of scale."""

import random
import time

from testbed.background import Background
from testbed.cluster import Cluster, Object
from testbed.deadline import wait_until
from testbed.scenarios.manifests import canary, pause, pod_spec, rollout, weight
from testbed.spoke import Spoke

TAGS = ("blue", "green", "orange", "purple", "red", "yellow")
HEALTHY_SECONDS_EACH = 1.0  # 300 rollouts take about 90 s on 2 cores
ROUND = "testbed/round"


def many(count: int, namespace: str = "default") -> list[Object]:
    """Manifests of ``count`` rollouts with 2 replicas, ``app-0000`` and on: 50 %, then a pause."""
    manifests = [rollout(f"app-{n:04}", canary(weight(50), pause())) for n in range(count)]
    return [{**m, "metadata": {**m["metadata"], "namespace": namespace}} for m in manifests]


def apply_many(spoke: Spoke, count: int, namespace: str = "default") -> list[str]:
    """Make them, wait until all are Healthy, and return their names.

    Raises:
        NotReachedError: they were not after 30 s and a second for each.
    """
    cluster = spoke.cluster()
    spoke.namespace(namespace)
    manifests = many(count, namespace)
    for manifest in manifests:
        cluster.apply(manifest)

    def check() -> str | None:
        found = cluster.list("Rollout", namespace)
        healthy = sum(f.get("status", {}).get("phase") == "Healthy" for f in found)
        return None if healthy >= count else f"{healthy} are"

    seconds = 30 + count * HEALTHY_SECONDS_EACH
    wait_until(check, seconds=seconds, what=f"{count} Healthy rollouts in {namespace}")
    return [m["metadata"]["name"] for m in manifests]


class Churn(Background):
    """Changes rollouts at a steady rate until it is stopped; use it as a ``with`` block.

    ``touch`` writes a new value of the annotation ``testbed/round``: one event per change.
    Otherwise the image changes, which makes the controller write and pods come and go.
    """

    def __init__(
        self,
        cluster: Cluster,
        names: list[str],
        namespace: str = "default",
        *,
        per_second: float,
        touch: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__("testbed-churn")
        self.written: dict[str, str] = {}
        """Name -> resourceVersion that the last change of it got."""
        self.changes = 0
        self._cluster = cluster
        self._names = names
        self._namespace = namespace
        self._period = 1 / per_second
        self._touch = touch
        self._random = random.Random(seed)

    def _work(self) -> None:
        due = time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            self._change(self._random.choice(self._names))
            due += self._period

    def _change(self, name: str) -> None:
        self.changes += 1
        patch: Object = (
            {"metadata": {"annotations": {ROUND: str(self.changes)}}}
            if self._touch
            else {"spec": {"template": {"spec": pod_spec(self._random.choice(TAGS))}}}
        )
        answer = self._cluster.patch("Rollout", name, patch, self._namespace)
        self.written[name] = answer["metadata"]["resourceVersion"]
