"""What all mirrored objects share: identity, metadata, freshness."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

import strawberry
from strawberry import ID

from rollgraph.core.objects import meta
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.replicasets import created
from rollgraph.schema.context import Context, Info
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.ids import global_id
from rollgraph.schema.types.owners import ClusterRef, cluster_of

KEYS = strawberry.argument(description="Only these keys.")


@strawberry.interface(description="Anything with a global ID.")
class Node:
    """Anything with a global ID."""

    @resolved
    def id(self) -> ID:
        """A global ID, opaque and stable."""
        return self.node_id()

    def node_id(self) -> ID:
        """Makes the ID: on demand, for most lists do not ask for it."""
        raise NotImplementedError


@strawberry.type(description="A label or annotation.")
class KeyValue:
    """A label or annotation."""

    key: str = strawberry.field(description="Its key.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="How far the mirrored copy of an object can be trusted.")
class Freshness:
    """How far the mirrored copy of an object can be trusted."""

    observed_at: datetime | None = strawberry.field(
        description="When the API server last gave a sign of life; the copy was true then."
    )
    lag: timedelta | None = strawberry.field(description="How long ago that was.")
    stale: bool = strawberry.field(
        description="True unless changes of this kind of object are known to arrive at once."
    )


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


enum(
    ConditionStatus,
    "ConditionStatus",
    "Whether a condition holds.",
    {
        "TRUE": "It holds.",
        "FALSE": "It does not hold.",
        "UNKNOWN": "Nobody can say.",
    },
)


@strawberry.type(description="One observed condition of an object.")
class Condition:
    """One observed condition of an object."""

    type: str = strawberry.field(description="What is observed, such as `Progressing`.")
    status: ConditionStatus = strawberry.field(description="Whether it holds.")
    reason: str | None = strawberry.field(description="The reason, one word.")
    message: str | None = strawberry.field(description="The reason, in a sentence.")
    last_update_time: datetime | None = strawberry.field(description="When it was last reported.")
    last_transition_time: datetime | None = strawberry.field(
        description="When its status last changed."
    )


@strawberry.type(description="What Kubernetes recorded about an object.")
class KubernetesEvent:
    """What Kubernetes recorded about an object."""

    event: strawberry.Private[KubeEvent]

    @resolved
    def type(self) -> str:
        """`Normal` or `Warning`."""
        return self.event.type

    @resolved
    def reason(self) -> str:
        """What happened, in a word: `RolloutStepCompleted`."""
        return self.event.reason

    @resolved
    def message(self) -> str:
        """What happened, in a sentence."""
        return self.event.message

    @resolved
    def count(self) -> int:
        """How often it happened."""
        return self.event.times

    @resolved
    def first_seen(self) -> datetime | None:
        """When it happened first."""
        return self.event.first_seen

    @resolved
    def last_seen(self) -> datetime | None:
        """When it happened last."""
        return self.event.last_seen

    @resolved
    def source(self) -> str | None:
        """Who recorded it."""
        return self.event.reporter or None


@strawberry.interface(description="An object of a cluster, as the gateway mirrors it.")
class KubernetesObject(Node):
    """An object of a cluster, as the gateway mirrors it."""

    cluster_name: str = strawberry.field(description="The name of its cluster.")
    source: strawberry.Private[meta.KubeObject]

    # Its kind in the core: each has a watch, and so a freshness, of its own.
    kind: ClassVar[Kind]

    @resolved
    def cluster(self, info: Info) -> ClusterRef:
        """Its cluster."""
        return cluster_of(info, self.cluster_name)

    @resolved
    def namespace(self) -> str:
        """Its namespace."""
        return self.source.metadata.namespace

    @resolved
    def name(self) -> str:
        """Its name."""
        return self.source.metadata.name

    @resolved
    def uid(self) -> str:
        """Its UID: a new object of the same name has another."""
        return self.source.metadata.uid

    @resolved
    def resource_version(self) -> str:
        """The version of the mirrored copy, opaque."""
        return self.source.metadata.resource_version

    @resolved
    def generation(self) -> int:
        """Counts the changes of its spec."""
        return self.source.metadata.generation

    @resolved
    def created_at(self) -> datetime:
        """When it was created."""
        return created(self.source)

    @resolved
    def labels(self, keys: Annotated[list[str] | None, KEYS] = None) -> list[KeyValue]:
        """Its labels, by key; `keys` narrows them."""
        return key_values(self.source.metadata.labels, keys)

    @resolved
    def annotations(self, keys: Annotated[list[str] | None, KEYS] = None) -> list[KeyValue]:
        """Its annotations, by key, without kubectl's copy of the object; `keys` narrows them."""
        return key_values(self.source.metadata.annotations, keys)

    @resolved
    def freshness(self, info: Info) -> Freshness:
        """How far this copy can be trusted."""
        return freshness(info.context, self.cluster_name, self.kind)


def belonging_id(type_name: str, owner: RolloutRef, item: meta.KubeObject) -> ID:
    """The global ID of an object that belongs to a rollout."""
    place = (owner.cluster, owner.namespace, owner.name)
    return global_id(type_name, *place, item.metadata.name)


def key_values(values: Mapping[str, str] | None, keys: list[str] | None) -> list[KeyValue]:
    """Labels or annotations by key, all or the named ones."""
    found = sorted((values or {}).items())
    return [KeyValue(key=k, value=v) for k, v in found if keys is None or k in keys]


def freshness(context: Context, cluster_name: str, kind: Kind) -> Freshness:
    """How far the copies of a kind can be trusted; of an unknown cluster, not at all."""
    cluster = context.cluster_of_seen(cluster_name)
    if cluster is None:
        return Freshness(observed_at=None, lag=None, stale=True)
    seen = cluster.confirmed_at
    return Freshness(
        observed_at=seen,
        lag=max(context.now - seen, timedelta(0)) if seen else None,
        stale=cluster.stale(context.now, context.patience, kind),
    )


def conditions(items: Iterable[meta.Condition] | None) -> list[Condition]:
    """An object's conditions in its own order."""
    return [
        Condition(
            type=item.type,
            status=_condition_status(item.status),
            reason=item.reason or None,
            message=item.message or None,
            last_update_time=item.last_update_time,
            last_transition_time=item.last_transition_time,
        )
        for item in items or ()
    ]


def _condition_status(text: str) -> ConditionStatus:
    try:
        return ConditionStatus(text)
    except ValueError:
        return ConditionStatus.UNKNOWN
