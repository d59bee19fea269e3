"""The way back from an object to what it belongs to: its rollout, its cluster.

A type imports those that it is made of: a cluster has rollouts, which have analysis runs. Here
alone the way leads back up, so these types are named before they are there, and imported when they
are asked for.
"""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

from rollgraph.core.connection import ClusterView
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.context import Info

if TYPE_CHECKING:
    from rollgraph.schema.types.cluster import Cluster
    from rollgraph.schema.types.rollout import Rollout

    ClusterRef: TypeAlias = Cluster
    OptionalRollout: TypeAlias = Rollout | None
else:
    ClusterRef = Annotated["Cluster", strawberry.lazy("rollgraph.schema.types.cluster")]
    OptionalRollout = Annotated["Rollout", strawberry.lazy("rollgraph.schema.types.rollout")] | None


def cluster_shown(view: ClusterView) -> ClusterRef:
    """The GraphQL object of a cluster."""
    from rollgraph.schema.types.cluster import cluster

    return cluster(view)


def cluster_of(info: Info, name: str) -> ClusterRef:
    """The cluster of an object; see `types.cluster`."""
    from rollgraph.schema.types.cluster import cluster_of as found

    return found(info, name)


def owning_rollout(info: Info, owner: RolloutRef) -> OptionalRollout:
    """The rollout that an object belongs to, as the mirror has it now."""
    from rollgraph.schema.types.rollout import rollout_of

    return rollout_of(info, owner)
