"""What is watched in this process, as it was told last."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rollgraph.core.connection import ClusterView
from rollgraph.ports import Projection
from rollgraph.spokes.supervisor import Outlet


class Watched:
    """Remembers what is told of each spoke that is watched here, and of no other."""

    def __init__(self) -> None:
        self._views: dict[str, ClusterView] = {}

    @property
    def views(self) -> Sequence[ClusterView]:
        """The spokes that are watched now."""
        return [*self._views.values()]

    def over(self, outlet: Outlet) -> Outlet:
        """The same outlet, which is listened to."""

        @asynccontextmanager
        async def opened(cluster: str) -> AsyncIterator[Projection]:
            async with outlet(cluster) as projection:
                try:
                    yield _Noted(projection, self._views)
                finally:
                    self._views.pop(cluster, None)

        return opened


class _Noted:
    """A `ports.Projection` that notes what is put of spokes."""

    def __init__(self, projection: Projection, views: dict[str, ClusterView]) -> None:
        self._views = views
        self._projection = projection
        # A rollout passes as if nobody listened.
        self.put_rollout = projection.put_rollout
        self.drop_rollout = projection.drop_rollout

    def put_cluster(self, cluster: ClusterView) -> None:
        self._views[cluster.name] = cluster
        self._projection.put_cluster(cluster)

    def drop_cluster(self, name: str) -> None:
        self._views.pop(name, None)
        self._projection.drop_cluster(name)
