"""What subscriptions tell of clusters, and of the fleet as a whole."""

from datetime import datetime

import strawberry

from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.schema.described import resolved, resolved_as
from rollgraph.schema.streams.summaries import Counted
from rollgraph.schema.streams.telling import ConnectionChanged, Telling
from rollgraph.schema.types.cluster import Cluster, cluster
from rollgraph.schema.types.events import RolloutEvent
from rollgraph.schema.types.summary import RolloutSummaryBucket


@strawberry.type(description="A cluster is watched in another way than before.")
class ClusterConnectionChangedEvent(RolloutEvent):
    """A cluster is watched in another way than before."""

    @resolved
    def cluster(self) -> Cluster | None:
        """The cluster as it is then; null if it is gone, or not shown any more."""
        view = self._after
        return None if view is None else cluster(view)

    @resolved_as("from")
    def before(self) -> ConnectionStatus | None:
        """How it was watched; null in a SNAPSHOT, and if it was not there."""
        change = self.telling.told.change
        return _status(change.before) if isinstance(change, ConnectionChanged) else None

    @resolved_as("to")
    def after(self) -> ConnectionStatus | None:
        """How it is watched; null if it is gone, or not shown any more."""
        return _status(self._after)

    @resolved
    def reason(self) -> str | None:
        """Why a RESYNC is told."""
        return self.telling.reason or None

    @property
    def _after(self) -> ClusterView | None:
        change = self.telling.told.change
        return change.after if isinstance(change, ConnectionChanged) else None


@strawberry.type(description="Counts of rollouts, after one of them has changed.")
class RolloutSummaryChangedEvent:
    """Counts of rollouts, after one of them has changed."""

    counted_at: datetime = strawberry.field(description="When they were counted.")
    buckets: list[RolloutSummaryBucket] = strawberry.field(
        description="Rollouts counted in groups, the largest first."
    )


def cluster_event(telling: Telling) -> ClusterConnectionChangedEvent:
    """The GraphQL object of an event."""
    return ClusterConnectionChangedEvent(telling=telling)


def summary_event(counted: Counted) -> RolloutSummaryChangedEvent:
    """The GraphQL object of counts."""
    buckets = [item for item in counted.buckets if isinstance(item, RolloutSummaryBucket)]
    return RolloutSummaryChangedEvent(counted_at=counted.at, buckets=buckets)


def _status(view: ClusterView | None) -> ConnectionStatus | None:
    return None if view is None else view.status
