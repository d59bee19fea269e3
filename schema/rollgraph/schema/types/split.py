"""Who serves what: pods and traffic by role."""

import strawberry

from rollgraph.core.replicasets import Role
from rollgraph.core.split import Slice
from rollgraph.core.view import RolloutView
from rollgraph.schema.described import resolved
from rollgraph.schema.scalars import Percent, percent
from rollgraph.schema.types.replicas import ReplicaSet, replica_set


@strawberry.type(description="The pods and traffic of one ReplicaSet; no pod is in two slices.")
class SplitSlice:
    """The pods and traffic of one ReplicaSet; no pod is in two slices."""

    rollout: strawberry.Private[RolloutView]
    part: strawberry.Private[Slice]

    @resolved
    def roles(self) -> list[Role]:
        """The parts that the ReplicaSet plays."""
        return list(self.part.replica_set.roles)

    @resolved
    def weight(self) -> Percent | None:
        """Its share of the traffic; null if nobody knows."""
        maximum = self.rollout.weights.maximum if self.rollout.weights else 100
        return None if self.part.weight is None else percent(self.part.weight, maximum)

    @resolved
    def pod_template_hash(self) -> str:
        """The hash of the template that it runs."""
        return self.part.replica_set.replica_set.pod_template_hash

    @resolved
    def service_name(self) -> str | None:
        """The Service that leads to it alone."""
        return self.part.service or None

    @resolved
    def pods(self) -> int:
        """Pods that exist."""
        return self.part.pods

    @resolved
    def ready_pods(self) -> int:
        """Pods that are ready."""
        return self.part.ready

    @resolved
    def available_pods(self) -> int:
        """Pods that have been ready for `minReadySeconds`."""
        return self.part.available

    @resolved
    def revision(self) -> int:
        """The revision that it runs; 0 if it does not say."""
        return self.part.replica_set.revision

    @resolved
    def experiment_name(self) -> str | None:
        """The experiment that it belongs to."""
        return self.part.experiment or None

    @resolved
    def replica_set(self) -> ReplicaSet:
        """The ReplicaSet."""
        return replica_set(self.rollout.ref, self.part.replica_set)


@strawberry.type(description="Who serves what: pods and traffic by role.")
class PodSplit:
    """Who serves what: pods and traffic by role."""

    view: strawberry.Private[RolloutView]

    @resolved
    def desired_weight(self) -> Percent | None:
        """The share that the steps give to the canary; null unless the strategy is canary."""
        found = self.view.weights
        return percent(found.desired, found.maximum) if found else None

    @resolved
    def actual_weight(self) -> Percent | None:
        """The share that the canary has; null unless the strategy is canary."""
        found = self.view.weights
        return percent(found.actual, found.maximum) if found else None

    @resolved
    def verified(self) -> bool | None:
        """Whether the traffic router has confirmed the weights; null if nobody asked it."""
        return self.view.weights.verified if self.view.weights else None

    @resolved
    def slices(self) -> list[SplitSlice]:
        """One for each ReplicaSet with a part or with pods, newest revision first."""
        return [SplitSlice(rollout=self.view, part=part) for part in self.view.split]
