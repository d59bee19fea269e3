"""What people and controllers do to a spoke's rollouts all the time, also while it is away."""

import random

import httpx2

from testbed.background import Background
from testbed.errors import ApiError
from testbed.scenarios.manifests import pod_spec
from testbed.scenarios.many import ROUND, TAGS, many
from testbed.spoke import Spoke

# How often each thing is done, of a hundred: a touch is one event, an image some twenty.
TOUCHES, IMAGES = 85, 12


class Traffic(Background):
    """Touches rollouts, gives them other images, deletes them and makes them again.

    It goes on until the end of the ``with`` block. An API server that is away is tried again.

    Args:
        spoke: Where.
        names: The rollouts.
        namespace: Where they are.
        per_second: How many changes.
        seed: Of chance.
        deletes: Whether rollouts come and go, too.
    """

    def __init__(
        self,
        spoke: Spoke,
        names: list[str],
        namespace: str,
        per_second: float,
        seed: int = 0,
        *,
        deletes: bool = True,
    ) -> None:
        super().__init__(f"traffic-{spoke.name}")
        self.changes = 0
        self._cluster = spoke.cluster()
        self._names = names
        self._namespace = namespace
        self._deletes = deletes
        self._pause = 1 / per_second
        self._rng = random.Random(f"{spoke.name} {seed}")
        self._manifests = {
            manifest["metadata"]["name"]: manifest for manifest in many(len(names), namespace)
        }

    def _work(self) -> None:
        while not self._ending.wait(self._pause):
            self._change(self._rng.choice(self._names))
        # What was deleted just before the API server died has to be there in the end.
        there = {
            item["metadata"]["name"] for item in self._cluster.list("Rollout", self._namespace)
        }
        for name in self._manifests.keys() - there:
            self._cluster.apply(self._manifests[name])

    def _change(self, name: str) -> None:
        chance = self._rng.randrange(100 if self._deletes else TOUCHES + IMAGES)
        try:
            if chance < TOUCHES:
                touch = {"metadata": {"annotations": {ROUND: str(self.changes)}}}
                self._cluster.patch("Rollout", name, touch, self._namespace)
            elif chance < TOUCHES + IMAGES:
                image = {"spec": {"template": {"spec": pod_spec(self._rng.choice(TAGS))}}}
                self._cluster.patch("Rollout", name, image, self._namespace)
            else:
                self._cluster.delete("Rollout", name, self._namespace)
                self._cluster.create(self._manifests[name])
        except httpx2.TransportError:
            return
        except ApiError as error:
            # 404 and 409: a creation got lost, or its answer did.
            if error.status not in (404, 409, 429) and error.status < 500:
                raise
            if error.status == 404:
                self._make(name)
            return
        self.changes += 1

    def _make(self, name: str) -> None:
        try:
            self._cluster.apply(self._manifests[name])
        except (httpx2.TransportError, ApiError):
            return  # away again; another change will find it missing
