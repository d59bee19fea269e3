"""Waits until a change that was made on a spoke has arrived by its watch."""

import anyio

from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.refs import RolloutRef
from rollgraph.core.resourceversions import at_least
from rollgraph.core.view import RolloutView
from rollgraph.ports import Mirror, Projection

# Seconds. A watch brings a change in about 10 ms; what has not come by then may take for ever.
ARRIVES_WITHIN = 2.0


class Arrivals:
    """A `ports.Projection` in front of another, that wakes who waits for a rollout.

    Args:
        projection: Gets everything.
        mirror: Shows what it got.
    """

    def __init__(self, projection: Projection, mirror: Mirror) -> None:
        self._projection = projection
        self._mirror = mirror
        self._waiting: dict[RolloutRef, anyio.Event] = {}

    def put_cluster(self, cluster: ClusterView) -> None:
        """See `ports.Projection`."""
        self._projection.put_cluster(cluster)

    def put_rollout(self, view: RolloutView) -> None:
        """See `ports.Projection`."""
        self._projection.put_rollout(view)
        self._wake(view.ref)

    def drop_rollout(self, ref: RolloutRef) -> None:
        """See `ports.Projection`."""
        self._projection.drop_rollout(ref)
        self._wake(ref)

    def drop_cluster(self, name: str) -> None:
        """See `ports.Projection`."""
        self._projection.drop_cluster(name)
        for ref in [ref for ref in self._waiting if ref.cluster == name]:
            self._wake(ref)

    async def next(self, ref: RolloutRef, seconds: float) -> None:
        """Waits until a rollout changes here, or for some seconds."""
        event = self._waiting.setdefault(ref, anyio.Event())
        with anyio.move_on_after(seconds):
            await event.wait()
        if not event.is_set() and not event.statistics().tasks_waiting:
            self._waiting.pop(ref, None)

    async def reached(self, ref: RolloutRef, version: str, seconds: float = ARRIVES_WITHIN) -> bool:
        """Waits until a rollout is shown in a version or a newer one; False if it takes longer.

        Of a cluster whose watch is broken nothing is waited for.
        """
        end = anyio.current_time() + seconds
        while not self._shows(ref, version):
            left = end - anyio.current_time()
            cluster = self._mirror.cluster(ref.cluster)
            broken = cluster is None or cluster.status is ConnectionStatus.DISCONNECTED
            if left <= 0 or broken:
                return False
            await self.next(ref, left)
        return True

    def _shows(self, ref: RolloutRef, version: str) -> bool:
        view = self._mirror.rollout(ref)
        return view is not None and at_least(view.rollout.metadata.resource_version, version)

    def _wake(self, ref: RolloutRef) -> None:
        event = self._waiting.pop(ref, None)
        if event is not None:
            event.set()
