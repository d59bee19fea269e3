"""Pages of rollouts over clusters, honest about which clusters they speak for."""

from collections.abc import Sequence

import strawberry

from rollgraph.core import filtering
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.paging import Page, PageRequest
from rollgraph.schema.connections import PageInfo, window
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved
from rollgraph.schema.inputs import RolloutFilter, RolloutOrder
from rollgraph.schema.types.owners import ClusterRef, cluster_shown
from rollgraph.schema.types.rollout import Rollout, rollout


@strawberry.type(description="How far a page speaks for one cluster.")
class ClusterReadStatus:
    """How far a page speaks for one cluster."""

    cluster: ClusterRef = strawberry.field(description="The cluster.")
    included: bool = strawberry.field(
        description="Whether its rollouts have been read at all; else the page lacks them."
    )
    stale: bool = strawberry.field(
        description="Whether its rollouts may have changed without the gateway's knowledge."
    )
    reason: str | None = strawberry.field(description="Why it is not included, or stale.")


@strawberry.type(description="A rollout with its place in the list.")
class RolloutEdge:
    """A rollout with its place in the list."""

    cursor: str = strawberry.field(description="The place, to go on from with `after` or `before`.")
    node: Rollout = strawberry.field(description="The rollout.")


@strawberry.type(description="A page of rollouts.")
class RolloutConnection:
    """A page of rollouts."""

    request: strawberry.Private[PageRequest]
    page: strawberry.Private[Page]
    only: strawberry.Private[str | None]

    @resolved
    def edges(self) -> list[RolloutEdge]:
        """The rollouts with their cursors."""
        return [
            RolloutEdge(cursor=cursor, node=rollout(view))
            for cursor, view in zip(self.page.cursors, self.page.rollouts, strict=True)
        ]

    @resolved
    def nodes(self) -> list[Rollout]:
        """The rollouts alone."""
        return [rollout(view) for view in self.page.rollouts]

    @resolved
    def page_info(self) -> PageInfo:
        """Where this page lies in the list."""
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=self.page.start_cursor,
            end_cursor=self.page.end_cursor,
        )

    @resolved
    def total_count(self, info: Info) -> int:
        """How many rollouts match now, on all pages."""
        return info.context.fleet.count(self.request)

    @resolved
    def clusters(self, info: Info) -> list[ClusterReadStatus]:
        """How far the list speaks for each cluster."""
        return [_status(info, cluster) for cluster in self._asked(info)]

    @resolved
    def partial(self, info: Info) -> bool:
        """Whether a cluster is not included or stale: rollouts may be missing or out of date."""
        if self.only is None and info.context.some_unread():
            return True
        return any(
            not cluster.synced or cluster.stale(info.context.now, info.context.patience)
            for cluster in self._asked(info)
        )

    def _asked(self, info: Info) -> Sequence[ClusterView]:
        clusters = info.context.clusters()
        return [cluster for cluster in clusters if self.only in (None, cluster.name)]


def rollout_connection(
    info: Info,
    *,
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
    filter: RolloutFilter | None = None,
    order_by: Sequence[RolloutOrder] | None = None,
    cluster: str | None = None,
) -> RolloutConnection:
    """A page of the fleet's rollouts, or of one cluster's."""
    part = window(first, after, last, before)
    request = PageRequest(
        filter=_on_cluster(filter, cluster),
        order=tuple(order.core() for order in order_by or ()),
        first=part.first,
        after=part.after,
        last=part.last,
        before=part.before,
    )
    page = info.context.fleet.page(request)
    return RolloutConnection(request=request, page=page, only=cluster)


def _on_cluster(
    wanted: RolloutFilter | None, cluster: str | None
) -> filtering.RolloutFilter | None:
    core = wanted.core() if wanted else None
    if cluster is None:
        return core
    here = filtering.RolloutFilter(cluster=filtering.StringFilter(eq=cluster))
    return filtering.RolloutFilter(and_=(here, core)) if core else here


def _status(info: Info, cluster: ClusterView) -> ClusterReadStatus:
    stale = cluster.stale(info.context.now, info.context.patience)
    return ClusterReadStatus(
        cluster=cluster_shown(cluster),
        included=cluster.synced,
        stale=stale,
        reason=_reason(info, cluster) if stale or not cluster.synced else None,
    )


def _reason(info: Info, cluster: ClusterView) -> str:
    if cluster.error:
        shown = info.context.fleet.shows_inside(cluster.name)
        return cluster.error if shown else "the gateway cannot read the cluster now"
    if cluster.status is ConnectionStatus.SYNCING:
        return "the first full list is on its way"
    return "the API server has been silent for too long"
