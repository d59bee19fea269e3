"""What a server tells of a rollout and its cluster, as far as it is shown here."""

from datetime import datetime
from typing import Any

import msgspec

from rollgraph.core.errors import RemoteError
from rollgraph.core.refs import RolloutRef


class _Told(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A part of an answer."""


class Image(_Told, frozen=True):
    """What a container runs."""

    container: str
    image: str


class Step(_Told, frozen=True):
    """A step; `state` is PENDING, CURRENT, COMPLETED or SKIPPED."""

    index: int
    label: str
    state: str


class Waiting(_Told, frozen=True):
    """What has to happen next.

    Attributes:
        until: When it ends, or the earliest time if that is not `exact`.
    """

    reason: str
    message: str
    human: bool
    until: datetime | None
    exact: bool


class Progress(_Told, frozen=True):
    """How far an update has come; `percent` is of steps, without steps of pods."""

    percent: float
    steps_completed: int
    steps_total: int
    waiting: Waiting | None


class Slice(_Told, frozen=True):
    """The pods of one ReplicaSet."""

    roles: tuple[str, ...]
    pods: int
    ready_pods: int


class Split(_Told, frozen=True):
    """Who serves what; the weights are the canary's, in percent."""

    desired_weight: float | None
    actual_weight: float | None
    slices: tuple[Slice, ...]


class Replicas(_Told, frozen=True):
    """Pods of the rollout, counted."""

    desired: int
    current: int
    updated: int
    ready: int
    available: int


class Freshness(_Told, frozen=True):
    """Whether the server knew then that it knows the present."""

    stale: bool


class Rollout(_Told, frozen=True):
    """A rollout."""

    cluster_name: str
    namespace: str
    name: str
    phase: str
    message: str | None
    aborted: bool
    images: tuple[Image, ...]
    steps: tuple[Step, ...]
    current_step_index: int | None
    progress: Progress
    split: Split
    replicas: Replicas
    freshness: Freshness

    @property
    def ref(self) -> RolloutRef:
        """Its name in the fleet."""
        return RolloutRef(self.cluster_name, self.namespace, self.name)


class Connection(_Told, frozen=True):
    """How a server watches a cluster; the first three are words of the schema and a sentence."""

    status: str
    problem: str | None
    last_error: str | None
    since: datetime


class Cluster(_Told, frozen=True):
    """A cluster."""

    connection: Connection


class Event(_Told, frozen=True):
    """Something that a stream tells. What is None or "" depends on `kind`.

    Attributes:
        rollout: The rollout as it is then.
        cluster: The cluster as it is then.
        namespace: Of a rollout that is gone, as is `name`.
        reason: Why a stream begins anew.
    """

    kind: str
    occurred_at: datetime
    received_at: datetime
    cursor: str = ""
    cluster_name: str | None = None
    rollout: Rollout | None = None
    cluster: Cluster | None = None
    namespace: str = ""
    name: str = ""
    reason: str = ""

    @property
    def ref(self) -> RolloutRef | None:
        """The rollout that it is about; None if it is about none."""
        if self.rollout is not None:
            return self.rollout.ref
        if not self.name or self.cluster_name is None:
            return None
        return RolloutRef(self.cluster_name, self.namespace, self.name)


def event(told: dict[str, Any]) -> Event:
    """Reads an event. Raises `RemoteError` for what is none."""
    try:
        return msgspec.convert(told, Event)
    except msgspec.ValidationError as error:
        raise RemoteError(f"the server tells what this rollgraph cannot read: {error}") from error
