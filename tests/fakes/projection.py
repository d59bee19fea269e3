"""A fleet's model that remembers what it was told."""

from collections.abc import Callable

import anyio

from rollgraph.core.connection import ClusterView, ConnectionStatus, Problem
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView


class RecordingProjection:
    """A `ports.Projection`.

    Attributes:
        clusters: What is known of each cluster now.
        rollouts: What is known of each rollout now.
        shown: Every view that was put, in order.
        log: Every change of rollouts, and dropped clusters, in order.
        statuses: Each cluster's statuses and problems in order, repetitions left out.
    """

    def __init__(self) -> None:
        self.clusters: dict[str, ClusterView] = {}
        self.rollouts: dict[RolloutRef, RolloutView] = {}
        self.shown: list[RolloutView] = []
        self.log: list[str] = []
        self.statuses: dict[str, list[tuple[ConnectionStatus, Problem | None]]] = {}

    def put_cluster(self, cluster: ClusterView) -> None:
        """Of the port."""
        self.clusters[cluster.name] = cluster
        seen = self.statuses.setdefault(cluster.name, [])
        if seen[-1:] != [(cluster.status, cluster.problem)]:
            seen.append((cluster.status, cluster.problem))

    def put_rollout(self, view: RolloutView) -> None:
        """Of the port."""
        self.rollouts[view.ref] = view
        self.shown.append(view)
        self.log.append(f"put {view.ref}")

    def drop_rollout(self, ref: RolloutRef) -> None:
        """Of the port."""
        self.rollouts.pop(ref, None)
        self.log.append(f"drop {ref}")

    def drop_cluster(self, name: str) -> None:
        """Of the port."""
        self.clusters.pop(name, None)
        for ref in [ref for ref in self.rollouts if ref.cluster == name]:
            del self.rollouts[ref]
        self.log.append(f"drop {name}")

    def status(self, name: str) -> ConnectionStatus | None:
        """A cluster's status now."""
        return self.clusters[name].status if name in self.clusters else None

    @property
    def names(self) -> set[str]:
        """All rollouts."""
        return {str(ref) for ref in self.rollouts}


async def until(true: Callable[[], bool], every: float = 0.05, tries: int = 20_000) -> None:
    """Lets time pass until a condition holds."""
    for _ in range(tries):
        if true():
            return
        await anyio.sleep(every)
    raise AssertionError("never")
