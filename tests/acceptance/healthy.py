"""Rollouts on real spokes with which a story begins."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from testbed.cluster import Object
from testbed.fleet import Fleet
from testbed.metrics import Metrics
from testbed.scenarios.manifests import canary, rollout
from testbed.scenarios.stage import Stage, settle


@contextmanager
def healthy(
    fleet: Fleet, what: str, names: Sequence[str], steps: Sequence[Object]
) -> Iterator[list[Stage]]:
    """Rollouts of these names on each spoke, Healthy, until left.

    Args:
        what: Begins the name of their namespace, which is the same on each spoke.
        steps: Those of their canary.
    """
    namespace = f"{what}-{secrets.token_hex(3)}"
    made = [
        Stage(spoke, spoke.namespace(namespace), name, Metrics(0))  # nothing is measured
        for spoke in fleet.spokes.values()
        for name in names
    ]
    for stage in made:
        stage.apply(rollout(stage.rollout, canary(*steps), replicas=2))
    for stage in made:
        stage.wait_phase("Healthy")
    settle(*made)
    yield made
    for spoke in fleet.spokes.values():
        spoke.cluster().delete("Namespace", namespace)
