"""The root of all queries. Every answer comes from the mirror; no query calls a spoke."""

from collections.abc import Callable
from typing import Annotated

import strawberry

from rollgraph.core.analysis import AnalysisRunView
from rollgraph.core.audit import Deed
from rollgraph.core.connection import ClusterView
from rollgraph.core.errors import BadRequestError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.replicasets import created
from rollgraph.core.verbs import Scope, Verb
from rollgraph.schema.clusterfilter import cluster_predicate
from rollgraph.schema.connections import (
    FILTER,
    MAX_PAGE,
    ORDER,
    After,
    Before,
    Connection,
    First,
    Key,
    Last,
    connect,
    window,
)
from rollgraph.schema.context import Context, Info
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.inputs import (
    ClusterFilter,
    ClusterOrder,
    ClusterOrderField,
    OrderDirection,
    RolloutFilter,
    RolloutOrder,
)
from rollgraph.schema.nodes import node
from rollgraph.schema.types.analysis import AnalysisRun, AnalysisRunFilter, analysis_run
from rollgraph.schema.types.audit import AuditEventConnection, AuditEventFilter, audit_events
from rollgraph.schema.types.cluster import Cluster, cluster
from rollgraph.schema.types.fleet import RolloutConnection, rollout_connection
from rollgraph.schema.types.gateway import GatewayInfo, gateway_info
from rollgraph.schema.types.kubernetes import Node
from rollgraph.schema.types.ratelimit import DRY_RUN, RateLimit, rate_limit
from rollgraph.schema.types.rollout import Rollout, rollout_of
from rollgraph.schema.types.summary import RolloutGroupKey, RolloutSummaryBucket, summary
from rollgraph.schema.types.viewer import Viewer, viewer

DEFAULT_GROUPS: list[RolloutGroupKey] = [RolloutGroupKey.PHASE]


@strawberry.type(description="What can be asked.")
class Query:
    """What can be asked."""

    @guarded(verb=Verb.GET)
    @resolved
    def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Node | None:
        """Any object by its global ID; null if it does not exist (any more)."""
        return node(info, id)

    @guarded(verb=Verb.GET)
    @resolved
    def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids.")],
    ) -> list[Node | None]:
        """Objects by their global IDs, in the order of the IDs; at most 200 at a time."""
        if len(ids) > MAX_PAGE:
            raise BadRequestError(f"at most {MAX_PAGE} `ids` at a time, got {len(ids)}")
        return [node(info, id) for id in ids]

    @guarded()
    @resolved
    def viewer(self, info: Info) -> Viewer:
        """Who asks, as the gateway knows them."""
        return viewer(info)

    @guarded()
    @resolved
    def rate_limit(self, info: Info, dry_run: Annotated[bool | None, DRY_RUN] = False) -> RateLimit:
        """What the request takes of the caller's budget, and what is left of that."""
        return rate_limit(info)

    @guarded(scope=Scope.AUDIT_READ, admin=True, deed=Deed.READ_AUDIT)
    @resolved
    async def audit_events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[AuditEventFilter | None, FILTER] = None,
    ) -> AuditEventConnection | None:
        """Who wanted what, and what came of it, the newest first; for admins only.

        The gateway remembers the events of late. Its log has all of them.
        """
        return await audit_events(
            info, first=first, after=after, last=last, before=before, filter=filter
        )

    @guarded()
    @resolved
    def gateway(self, info: Info) -> GatewayInfo:
        """The gateway that answers: its version, and what it allows."""
        return gateway_info(info)

    @guarded(verb=Verb.GET)
    @resolved
    def rollout_summary(
        self,
        info: Info,
        filter: Annotated[RolloutFilter | None, FILTER] = None,
        group_by: Annotated[
            list[RolloutGroupKey], strawberry.argument(description="What a bucket has in common.")
        ] = DEFAULT_GROUPS,
    ) -> list[RolloutSummaryBucket]:
        """Rollouts counted in groups, the largest first: for tiles and panels, without rows."""
        return summary(info.context, filter, group_by)

    @guarded(verb=Verb.GET, scope=Scope.ANALYSIS_READ, object="analysisrun")
    @resolved
    def analysis_runs(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[AnalysisRunFilter | None, FILTER] = None,
    ) -> Connection[AnalysisRun]:
        """The analysis runs of all rollouts and experiments, the latest first."""
        runs = [
            (view.ref, run)
            for view in info.context.fleet.matching(None)
            for run in view.all_analysis_runs
            if filter is None or filter.holds(run)
        ]
        return connect(
            runs, _latest, lambda item: analysis_run(*item), window(first, after, last, before)
        )

    @guarded(verb=Verb.GET)
    @resolved
    def rollout(
        self,
        info: Info,
        cluster: Annotated[str, strawberry.argument(description="The cluster's name.")],
        namespace: Annotated[str, strawberry.argument(description="The namespace.")],
        name: Annotated[str, strawberry.argument(description="The rollout's name.")],
    ) -> Rollout | None:
        """One rollout; null if it does not exist, or its cluster has not been read yet."""
        return rollout_of(info, RolloutRef(cluster, namespace, name))

    @guarded(verb=Verb.GET)
    @resolved
    def rollouts(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[RolloutFilter | None, FILTER] = None,
        order_by: Annotated[list[RolloutOrder] | None, ORDER] = None,
    ) -> RolloutConnection:
        """The rollouts of all clusters, by cluster, namespace and name unless asked otherwise.

        A page has 50 rollouts unless `first` or `last` say otherwise, and 200 at the most.
        Walking with the cursors visits each rollout that matches all the while exactly once, also
        while rollouts change their place in the order.
        """
        return rollout_connection(
            info,
            first=first,
            after=after,
            last=last,
            before=before,
            filter=filter,
            order_by=order_by,
        )

    @guarded(verb=Verb.GET, object="cluster")
    @resolved
    def cluster(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="The cluster's name.")],
    ) -> Cluster | None:
        """One cluster; null if it is not in the fleet."""
        view = info.context.cluster(name)
        return cluster(view) if view else None

    @guarded(verb=Verb.GET, object="cluster")
    @resolved
    def clusters(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[ClusterFilter | None, FILTER] = None,
        order_by: Annotated[ClusterOrder | None, ORDER] = None,
    ) -> Connection[Cluster]:
        """The clusters that the gateway watches, by name unless asked otherwise."""
        wanted = cluster_predicate(filter)
        chosen = [view for view in info.context.clusters() if wanted(view)]
        order = order_by or ClusterOrder(field=ClusterOrderField.NAME)
        return connect(
            chosen,
            _place(info.context, order),
            cluster,
            window(first, after, last, before),
            descending=order.direction is OrderDirection.DESC,
        )


def _latest(item: tuple[RolloutRef, AnalysisRunView]) -> Key:
    """Where a run stands in the order of creation, the latest first."""
    ref, view = item
    age = -int(created(view.run).timestamp())
    return (age, ref.cluster, ref.namespace, view.run.metadata.name)


def _place(context: Context, order: ClusterOrder) -> Callable[[ClusterView], Key]:
    """Where a cluster stands in an order; the name breaks ties."""
    match order.field:
        case ClusterOrderField.NAME:
            return lambda view: (view.name,)
        case ClusterOrderField.LAG:
            # The shortest lag has the latest sign of life; without one a cluster comes last.
            return lambda view: (-_micros(view), view.name)
        case ClusterOrderField.ROLLOUT_COUNT:
            return lambda view: (sum(context.fleet.counts(view.name).values()), view.name)


def _micros(view: ClusterView) -> int:
    return int(view.confirmed_at.timestamp() * 1e6) if view.confirmed_at else 0
