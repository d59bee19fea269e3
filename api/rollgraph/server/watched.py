"""What is watched in this process, as it was told last."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rollgraph.core.connection import ClusterView
from rollgraph.ports import Handover
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
        async def opened(cluster: str) -> AsyncIterator[Handover]:
            async with outlet(cluster) as handover:
                try:
                    yield _Noted(handover, self._views)
                finally:
                    self._views.pop(cluster, None)

        return opened


class _Noted:
    """A `ports.Handover` that notes what is put of spokes."""

    def __init__(self, handover: Handover, views: dict[str, ClusterView]) -> None:
        self._views = views
        self._handover = handover
        # All else passes as if nobody listened.
        self.put_rollout = handover.put_rollout
        self.drop_rollout = handover.drop_rollout
        self.inherited = handover.inherited
        self.take_over = handover.take_over
        self.reach = handover.reach

    def put_cluster(self, cluster: ClusterView) -> None:
        self._views[cluster.name] = cluster
        self._handover.put_cluster(cluster)

    def drop_cluster(self, name: str) -> None:
        self._views.pop(name, None)
        self._handover.drop_cluster(name)
