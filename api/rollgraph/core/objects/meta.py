"""What all Kubernetes objects share: metadata, conditions, containers."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from rollgraph.core.integers import integer

REVISION_ANNOTATION = "rollout.argoproj.io/revision"
LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

# Kubernetes' times name their zone. One without cannot be compared with the others.
Time = Annotated[datetime, msgspec.Meta(tz=True)]
# Stands for a time that is not told, where times are compared: it comes first.
EPOCH = datetime.fromtimestamp(0, UTC)


class Read(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Base of everything read from a spoke: camelCase on the wire, unknown fields skipped."""


class OwnerReference(Read, frozen=True):
    """Who made an object."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ManagedFields(Read, frozen=True):
    """When one of an object's writers last changed it; which fields it wrote is skipped."""

    time: Time | None = None


class Meta(Read, frozen=True):
    """The metadata of one object; absent times are None."""

    name: str
    uid: str = ""
    namespace: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    managed_fields: list[ManagedFields] | None = None

    def label(self, key: str) -> str:
        """The label's value, or "" without it."""
        return (self.labels or {}).get(key, "")

    def annotation(self, key: str) -> str:
        """The annotation's value, or "" without it."""
        return (self.annotations or {}).get(key, "")

    @property
    def owner_uids(self) -> tuple[str, ...]:
        """UIDs of all owners, the controlling one among them."""
        return tuple(owner.uid for owner in self.owner_references or ())

    @property
    def revision(self) -> int:
        """The revision that the controller wrote on the object.

        0 without one, as the plugin has it.
        """
        return integer(self.annotation(REVISION_ANNOTATION)) or 0

    @property
    def written_at(self) -> datetime | None:
        """The latest of the times that the API server notes for each writer of the object."""
        times = (entry.time for entry in self.managed_fields or () if entry.time is not None)
        return max(times, default=None)


class Condition(Read, frozen=True):
    """One observed condition of an object."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: Time | None = None
    last_transition_time: Time | None = None


class Container(Read, frozen=True):
    """A container of a pod template or pod."""

    name: str = ""
    image: str = ""
    restart_policy: str | None = None


class PodSpec(Read, frozen=True):
    """The part of a pod's spec that says what runs, and where."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    node_name: str = ""


class PodTemplate(Read, frozen=True):
    """A pod template."""

    spec: PodSpec = PodSpec()


class KubeObject(Read, frozen=True):
    """An object of a spoke.

    Attributes:
        metadata: Its metadata.
        unreadable: Why the rest could not be read, or "" if it could.
    """

    metadata: Meta
    unreadable: str = ""
