"""ReplicaSets and pods: what runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar

import strawberry

from rollgraph.core.pods import PodCategory, PodView
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.replicasets import ReplicaSetHealth, ReplicaSetView, Role, created
from rollgraph.schema.connections import (
    FILTER,
    After,
    Before,
    Connection,
    First,
    Key,
    Last,
    connect,
    window,
)
from rollgraph.schema.described import resolved
from rollgraph.schema.types.images import ContainerImage, container_images
from rollgraph.schema.types.kubernetes import KubernetesObject, belonging_id


@strawberry.type(description="Counts of pods.")
class ReplicaCounts:
    """Counts of pods."""

    desired: int = strawberry.field(description="Pods that are asked for.")
    current: int = strawberry.field(description="Pods that exist.")
    updated: int = strawberry.field(description="Pods of the newest template.")
    ready: int = strawberry.field(description="Pods that are ready.")
    available: int = strawberry.field(
        description="Pods that have been ready for `minReadySeconds`."
    )
    hpa: int | None = strawberry.field(
        description="Pods that count for a HorizontalPodAutoscaler, on a Rollout.", default=None
    )


@strawberry.input(description="Which pods; every part that is set must hold.")
class PodFilter:
    """Which pods; every part that is set must hold."""

    status: list[PodCategory] | None = strawberry.field(
        description="One of these states.", default=None
    )
    ready: bool | None = strawberry.field(description="Ready, or not.", default=None)

    def holds(self, pod: PodView) -> bool:
        """Whether a pod is wanted."""
        if self.status is not None and pod.category not in self.status:
            return False
        return self.ready is None or pod.ready is self.ready


@strawberry.type(description="A pod.")
class Pod(KubernetesObject):
    """A pod."""

    kind: ClassVar[Kind] = Kind.POD
    owner: strawberry.Private[RolloutRef]
    view: strawberry.Private[PodView]
    roles: list[Role] = strawberry.field(description="The parts that its ReplicaSet plays.")

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return belonging_id("Pod", self.owner, self.source)

    @resolved
    def status(self) -> PodCategory:
        """Its state, as far as a dashboard tells them apart."""
        return self.view.category

    @resolved
    def reason(self) -> str:
        """The STATUS that kubectl prints: `Running`, `Init:0/1`, `CrashLoopBackOff`."""
        return self.view.reason

    @resolved
    def ready(self) -> bool:
        """Whether its Ready condition holds."""
        return self.view.ready

    @resolved
    def ready_containers(self) -> int:
        """Containers that are ready and running."""
        return self.view.ready_containers

    @resolved
    def total_containers(self) -> int:
        """Containers that it has, init containers not counted."""
        return self.view.total_containers

    @resolved
    def restarts(self) -> int:
        """Restarts of its containers; while it initialises, of its init containers."""
        return self.view.restarts

    @resolved
    def node_name(self) -> str | None:
        """Its node."""
        return self.view.pod.spec.node_name or None

    @resolved
    def ip(self) -> str | None:
        """Its address."""
        return self.view.pod.status.pod_ip or None

    @resolved
    def started_at(self) -> datetime | None:
        """When its kubelet took it on."""
        return self.view.pod.status.start_time


@strawberry.type(description="A ReplicaSet of a rollout or of one of its experiments.")
class ReplicaSet(KubernetesObject):
    """A ReplicaSet of a rollout or of one of its experiments."""

    kind: ClassVar[Kind] = Kind.REPLICA_SET
    owner: strawberry.Private[RolloutRef]
    view: strawberry.Private[ReplicaSetView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return belonging_id("ReplicaSet", self.owner, self.source)

    @resolved
    def roles(self) -> list[Role]:
        """The parts that it plays."""
        return list(self.view.roles)

    @resolved
    def health(self) -> ReplicaSetHealth:
        """How it fares."""
        return self.view.health

    @resolved
    def revision(self) -> int:
        """The revision that it runs; 0 if it does not say."""
        return self.view.revision

    @resolved
    def pod_template_hash(self) -> str:
        """The hash of the template that it runs."""
        return self.view.replica_set.pod_template_hash

    @resolved
    def images(self) -> list[ContainerImage]:
        """The images that it runs."""
        return container_images(self.view.images)

    @resolved
    def replicas(self) -> ReplicaCounts:
        """Its pods, counted by the ReplicaSet itself."""
        rs = self.view.replica_set
        return ReplicaCounts(
            desired=1 if rs.spec.replicas is None else rs.spec.replicas,
            current=rs.status.replicas,
            updated=rs.status.replicas,
            ready=rs.status.ready_replicas,
            available=rs.status.available_replicas,
        )

    @resolved
    def scale_down_deadline(self) -> datetime | None:
        """When the controller will scale it down, if that is planned."""
        return self.view.scale_down_deadline

    @resolved
    def pods(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[PodFilter | None, FILTER] = None,
    ) -> Connection[Pod]:
        """Its pods, oldest first."""
        chosen = [pod for pod in self.view.pods if filter is None or filter.holds(pod)]
        roles = self.view.roles
        return connect(
            chosen,
            _pod_place,
            lambda item: pod(self.owner, item, roles),
            window(first, after, last, before),
        )


def replica_set(owner: RolloutRef, view: ReplicaSetView) -> ReplicaSet:
    """The GraphQL object of a ReplicaSet of a rollout or of one of its experiments."""
    return ReplicaSet(
        cluster_name=owner.cluster,
        source=view.replica_set,
        owner=owner,
        view=view,
    )


def pod(owner: RolloutRef, view: PodView, roles: Sequence[Role]) -> Pod:
    """The GraphQL object of a pod of a ReplicaSet with these roles."""
    return Pod(
        cluster_name=owner.cluster,
        source=view.pod,
        owner=owner,
        view=view,
        roles=list(roles),
    )


def _pod_place(view: PodView) -> Key:
    return (created(view.pod).isoformat(), view.pod.metadata.name)
