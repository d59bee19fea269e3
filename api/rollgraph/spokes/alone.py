"""Where nothing is handed over: one process, or a test."""

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.checkpoints import Checkpoint, Inheritance
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.ports import Projection


class Alone:
    """A projection of spokes that nobody takes over: a `ports.Handover`."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    def put_cluster(self, cluster: ClusterView) -> None:
        """See `ports.Projection`."""
        self._projection.put_cluster(cluster)

    def put_rollout(self, view: RolloutView) -> None:
        """See `ports.Projection`."""
        self._projection.put_rollout(view)

    def drop_rollout(self, ref: RolloutRef) -> None:
        """See `ports.Projection`."""
        self._projection.drop_rollout(ref)

    def drop_cluster(self, name: str) -> None:
        """See `ports.Projection`."""
        self._projection.drop_cluster(name)

    async def inherited(self) -> Inheritance | None:
        """Nothing."""
        return None

    def take_over(self) -> None:
        """There is nothing."""

    def reach(self, checkpoint: Checkpoint) -> None:
        """Nobody wants to know."""
