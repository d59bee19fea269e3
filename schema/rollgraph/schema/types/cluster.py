"""A cluster: how it is reached, how it fares, what it runs."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import strawberry

from rollgraph.core.connection import ClusterView, ConnectionStatus, Problem, WatchView
from rollgraph.core.phase import Phase
from rollgraph.schema.connections import FILTER, ORDER, After, Before, First, Last
from rollgraph.schema.context import Info
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.ids import global_id
from rollgraph.schema.inputs import RolloutFilter, RolloutOrder
from rollgraph.schema.types.fleet import RolloutConnection, rollout_connection
from rollgraph.schema.types.kubernetes import KeyValue, Node, key_values

# Labels that name a cluster's region and environment, the first that is set wins.
REGION_LABELS = ("topology.kubernetes.io/region", "region")
ENVIRONMENT_LABELS = ("environment", "env")


class ClusterHealth(StrEnum):
    """How a cluster's rollouts fare as a whole."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    UNREACHABLE = "UNREACHABLE"
    UNKNOWN = "UNKNOWN"


enum(
    ClusterHealth,
    "ClusterHealth",
    "How a cluster's rollouts fare as a whole.",
    {
        "HEALTHY": "No rollout is degraded.",
        "DEGRADED": "A rollout is degraded.",
        "UNREACHABLE": "The cluster cannot be watched now.",
        "UNKNOWN": "The cluster has not been read yet.",
    },
)


@strawberry.type(description="The watch of one kind of object.")
class WatchState:
    """The watch of one kind of object."""

    watch: strawberry.Private[WatchView]

    @resolved
    def resource(self) -> str:
        """The kind that it watches, such as `Rollout`."""
        return self.watch.kind.value

    @resolved
    def namespace(self) -> str | None:
        """The namespace that it watches; null for all."""
        return self.watch.namespace or None

    @resolved
    def status(self) -> ConnectionStatus:
        """How it fares."""
        return self.watch.status

    @resolved
    def since(self) -> datetime:
        """Since when."""
        return self.watch.since

    @resolved
    def problem(self) -> Problem | None:
        """What stands in its way."""
        return self.watch.problem

    @resolved
    def last_error(self) -> str | None:
        """What the API server, or the network, said."""
        return self.watch.error or None

    @resolved
    def resource_version(self) -> str:
        """How far it has come, opaque."""
        return self.watch.resource_version

    @resolved
    def object_count(self) -> int:
        """Objects that are held."""
        return self.watch.objects

    @resolved
    def relists(self) -> int:
        """Full lists after the first one."""
        return self.watch.relists

    @resolved
    def last_event_at(self) -> datetime | None:
        """When something last changed."""
        return self.watch.last_event_at

    @resolved
    def last_bookmark_at(self) -> datetime | None:
        """When the API server last said that nothing was missed."""
        return self.watch.last_bookmark_at


@strawberry.type(description="How well a cluster is watched.")
class ClusterConnectionState:
    """How well a cluster is watched."""

    view: strawberry.Private[ClusterView]

    @resolved
    def status(self) -> ConnectionStatus:
        """How far what the gateway holds can be trusted."""
        return self.view.status

    @resolved
    def problem(self) -> Problem | None:
        """What stands in the way."""
        return self.view.problem

    @resolved
    def last_error(self, info: Info) -> str | None:
        """The problem in a sentence; null for who sees no more than some of its rollouts."""
        # An API server's words name what it refuses: namespaces, accounts, addresses.
        shown = info.context.fleet.shows_inside(self.view.name)
        return (self.view.error or None) if shown else None

    @resolved
    def since(self) -> datetime:
        """When `status` last changed."""
        return self.view.since

    @resolved
    def observed_at(self) -> datetime | None:
        """When the API server last gave a sign of life."""
        return self.view.confirmed_at

    @resolved
    def last_event_at(self) -> datetime | None:
        """When something last changed."""
        return self.view.last_event_at

    @resolved
    def lag(self, info: Info) -> timedelta | None:
        """How long ago the API server last gave a sign of life."""
        seen = self.view.confirmed_at
        return max(info.context.now - seen, timedelta(0)) if seen else None

    @resolved
    def reconnects(self) -> int:
        """Connections after the first, over all watches."""
        return self.view.reconnects

    @resolved
    def watches(self, info: Info) -> list[WatchState]:
        """The watch of each kind; empty for who sees no more than some of its rollouts."""
        if not info.context.fleet.shows_inside(self.view.name):
            return []
        return [WatchState(watch=watch) for watch in self.view.watches]


@strawberry.type(description="Rollouts in one phase.")
class PhaseCount:
    """Rollouts in one phase."""

    phase: Phase = strawberry.field(description="The phase.")
    count: int = strawberry.field(description="How many rollouts are in it.")


@strawberry.federation.type(keys=["id", "name"], description="A cluster that the gateway watches.")
class Cluster(Node):
    """A cluster that the gateway watches."""

    view: strawberry.Private[ClusterView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return global_id("Cluster", self.view.name)

    @classmethod
    def resolve_reference(cls, info: Info, **reference: str) -> "Cluster | None":
        """The cluster that a router's reference by name means."""
        view = info.context.cluster(reference.get("name", ""))
        return cluster(view) if view else None

    @resolved
    def name(self) -> str:
        """Its name in the fleet, unique."""
        return self.view.name

    @resolved
    def labels(self) -> list[KeyValue]:
        """The labels that the operator gave it, by key."""
        return key_values(self.view.labels, None)

    @resolved
    def region(self) -> str | None:
        """Its region, if a label says."""
        return region(self.view)

    @resolved
    def environment(self) -> str | None:
        """Its environment, if a label says."""
        return environment(self.view)

    @resolved
    def connection(self) -> ClusterConnectionState:
        """How well it is watched."""
        return ClusterConnectionState(view=self.view)

    @resolved
    def kubernetes_version(self) -> str | None:
        """The version of its API server, once known."""
        return self.view.kubernetes_version or None

    @resolved
    def argo_rollouts_version(self) -> str | None:
        """The version of its Argo Rollouts controller, where the gateway can see that."""
        return self.view.argo_rollouts_version or None

    @resolved
    def health(self, info: Info) -> ClusterHealth:
        """How its rollouts fare as a whole."""
        if not self.view.synced:
            down = self.view.status is ConnectionStatus.DISCONNECTED
            return ClusterHealth.UNREACHABLE if down else ClusterHealth.UNKNOWN
        if self.view.stale(info.context.now, info.context.patience):
            return ClusterHealth.UNREACHABLE
        degraded = info.context.fleet.counts(self.view.name).get(Phase.DEGRADED, 0)
        return ClusterHealth.DEGRADED if degraded else ClusterHealth.HEALTHY

    @resolved
    def rollout_counts(self, info: Info) -> list[PhaseCount]:
        """Its rollouts by phase; phases without any are left out."""
        counts = info.context.fleet.counts(self.view.name)
        return [PhaseCount(phase=p, count=counts[p]) for p in Phase if counts.get(p)]

    @resolved
    def namespaces(self, info: Info) -> list[str]:
        """The namespaces that have rollouts, by name."""
        return list(info.context.fleet.namespaces(self.view.name))

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
        """Its rollouts, by namespace and name unless asked otherwise."""
        return rollout_connection(
            info,
            first=first,
            after=after,
            last=last,
            before=before,
            filter=filter,
            order_by=order_by,
            cluster=self.view.name,
        )


def cluster(view: ClusterView) -> Cluster:
    """The GraphQL object of a cluster."""
    return Cluster(view=view)


def cluster_of(info: Info, name: str) -> Cluster:
    """The cluster of an object.

    A cluster that has just been taken out of the fleet is shown as disconnected for the rest of the
    request.
    """
    view = info.context.cluster_of_seen(name)
    if view is None:
        gone, now = ConnectionStatus.DISCONNECTED, info.context.now
        view = ClusterView(name, gone, now, error="the cluster is no longer in the fleet")
    return cluster(view)


def region(view: ClusterView) -> str | None:
    """A cluster's region, if a label says."""
    return next((view.labels[key] for key in REGION_LABELS if key in view.labels), None)


def environment(view: ClusterView) -> str | None:
    """A cluster's environment, if a label says."""
    return next((view.labels[key] for key in ENVIRONMENT_LABELS if key in view.labels), None)
