"""What is told of a spoke itself: is it there, and how well is it watched?"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from rollgraph.core.connection import (
    ClusterView,
    ConnectionStatus,
    Verdict,
    WatchView,
    verdict,
)
from rollgraph.core.errors import RollgraphError
from rollgraph.core.refs import Kind
from rollgraph.ports import Clock, Projection, ServerVersions, Spoke
from rollgraph.spokes.watchstate import WatchState, problem_of


class Report:
    """Puts a spoke's `ClusterView` into the fleet's model whenever it has changed.

    It outlives the workers of its spoke, so that a restart does not hide what led to it.

    Args:
        projection: The fleet's model.
        clock: The time of day.

    Attributes:
        shown: Whether the rollouts that were read first are in the fleet's model. Before, a cluster
            whose list has come would look as if it had no rollouts.
    """

    def __init__(self, projection: Projection, clock: Clock) -> None:
        self.doubt: RollgraphError | None = None
        self.shown = False
        self.versions = ServerVersions()
        self._projection = projection
        self._clock = clock
        self._confirmed_at: datetime | None = None
        self._last: ClusterView | None = None

    def confirm(self) -> None:
        """The API server has just given a sign of life."""
        self.doubt = None
        self._confirmed_at = self._clock.now()

    def publish(self, spoke: Spoke, watches: Sequence[WatchState] = ()) -> None:
        """Tells how the spoke fares, unless that has been told.

        Args:
            spoke: What is watched.
            watches: Its watches, in a stable order.
        """
        for watch in watches:
            watch.settle()
        views = tuple(self._as_shown(watch.view(self.doubt)) for watch in watches)
        found = verdict(views)
        if self.doubt is not None:
            # Said of the spoke, not of each watch.
            found = Verdict(ConnectionStatus.DISCONNECTED, problem_of(self.doubt), str(self.doubt))
        events = [view.last_event_at for view in views]
        signs = [self._confirmed_at, *events, *(view.last_bookmark_at for view in views)]
        self._put(
            ClusterView(
                name=spoke.name,
                status=found.status,
                since=self._since(found.status),
                problem=found.problem,
                error=found.error,
                labels=spoke.labels,
                watches=views,
                confirmed_at=_latest(signs),
                last_event_at=_latest(events),
                reconnects=sum(watch.reconnects for watch in watches),
                kubernetes_version=self.versions.kubernetes,
                argo_rollouts_version=self.versions.argo_rollouts,
            )
        )

    def _as_shown(self, view: WatchView) -> WatchView:
        if self.shown or view.kind is not Kind.ROLLOUT:
            return view
        connected = view.status is ConnectionStatus.CONNECTED
        status = ConnectionStatus.SYNCING if connected else view.status
        return msgspec.structs.replace(view, status=status, synced=False)

    def _since(self, status: ConnectionStatus) -> datetime:
        if self._last is not None and self._last.status is status:
            return self._last.since
        return self._clock.now()

    def _put(self, view: ClusterView) -> None:
        if view != self._last:
            self._last = view
            self._projection.put_cluster(view)


def _latest(times: Sequence[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
