"""A mirror of which only the clusters are asked."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from rollgraph.core.connection import ClusterView, ConnectionStatus, Problem, WatchView
from rollgraph.core.refs import Kind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class KnownClusters:
    """Clusters that a test puts there."""

    def __init__(self, *clusters: ClusterView) -> None:
        self._clusters = {view.name: view for view in clusters}

    def put_cluster(self, view: ClusterView) -> None:
        self._clusters[view.name] = view

    def clusters(self) -> Collection[ClusterView]:
        return self._clusters.values()

    def cluster(self, name: str) -> ClusterView | None:
        return self._clusters.get(name)

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"health does not ask for {name}")


def synced(name: str) -> ClusterView:
    watch = WatchView(Kind.ROLLOUT, "", ConnectionStatus.CONNECTED, NOW, synced=True)
    return ClusterView(name, ConnectionStatus.CONNECTED, NOW, watches=(watch,))


def syncing(name: str) -> ClusterView:
    return ClusterView(name, ConnectionStatus.SYNCING, NOW)


def unreachable(name: str) -> ClusterView:
    return ClusterView(
        name, ConnectionStatus.DISCONNECTED, NOW, Problem.UNREACHABLE, "no route to 10.0.0.1"
    )
