"""Names of things: which spoke, which namespace, which object."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """The kinds that Rollgraph watches; the value is the Kubernetes kind."""

    ROLLOUT = "Rollout"
    REPLICA_SET = "ReplicaSet"
    POD = "Pod"
    ANALYSIS_RUN = "AnalysisRun"
    EXPERIMENT = "Experiment"
    DEPLOYMENT = "Deployment"
    EVENT = "Event"


class ObjectKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """An object's place within one spoke and kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class RolloutRef(msgspec.Struct, frozen=True, order=True, gc=False):
    """A rollout of the fleet.

    Its text form is `cluster/namespace/name`, as RBAC objects are written.
    """

    cluster: str
    namespace: str
    name: str

    @property
    def key(self) -> ObjectKey:
        """The rollout's place within its spoke."""
        return ObjectKey(self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"
