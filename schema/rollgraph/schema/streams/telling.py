"""One event of a stream before it becomes an answer."""

from collections.abc import Callable, Hashable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from rollgraph.core.changes import (
    Added,
    AnalysisRunChanged,
    Change,
    Deleted,
    PhaseChanged,
    PodsChanged,
    StepChanged,
    Updated,
    WeightChanged,
)
from rollgraph.core.connection import ClusterView
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.schema.described import enum
from rollgraph.schema.streams.answer import PLACE


class EventKind(StrEnum):
    """What an event says."""

    SNAPSHOT = "SNAPSHOT"
    ADDED = "ADDED"
    UPDATED = "UPDATED"
    PHASE_CHANGED = "PHASE_CHANGED"
    STEP_CHANGED = "STEP_CHANGED"
    WEIGHT_CHANGED = "WEIGHT_CHANGED"
    PODS_CHANGED = "PODS_CHANGED"
    ANALYSIS_RUN_CHANGED = "ANALYSIS_RUN_CHANGED"
    DELETED = "DELETED"
    CLUSTER_CONNECTION_CHANGED = "CLUSTER_CONNECTION_CHANGED"
    RESYNC = "RESYNC"


enum(
    EventKind,
    "RolloutEventKind",
    "What an event says.",
    {
        "SNAPSHOT": "How something is, without a change: the state that a stream begins with.",
        "ADDED": "A rollout is new to the stream: made, matching now, or shown to the viewer now.",
        "UPDATED": "Something else than what has a kind of its own has changed.",
        "PHASE_CHANGED": "The phase is another one.",
        "STEP_CHANGED": "Another step is the current one, or none.",
        "WEIGHT_CHANGED": "The canary's weight, as wanted or as it is, is another one.",
        "PODS_CHANGED": "Pods came, went or fare differently.",
        "ANALYSIS_RUN_CHANGED": "An analysis run began, measured something, or ended.",
        "DELETED": "It is gone from the stream: deleted, not matching or not shown any more.",
        "CLUSTER_CONNECTION_CHANGED": "A cluster is watched better, or worse.",
        "RESYNC": "Some changes cannot be told: forget what you know, the state follows.",
    },
)

KINDS: dict[type[Change], EventKind] = {
    Added: EventKind.ADDED,
    Deleted: EventKind.DELETED,
    PhaseChanged: EventKind.PHASE_CHANGED,
    StepChanged: EventKind.STEP_CHANGED,
    WeightChanged: EventKind.WEIGHT_CHANGED,
    PodsChanged: EventKind.PODS_CHANGED,
    AnalysisRunChanged: EventKind.ANALYSIS_RUN_CHANGED,
    Updated: EventKind.UPDATED,
}


class ConnectionChanged(msgspec.Struct, frozen=True, gc=False):
    """A cluster is watched in another way.

    Attributes:
        cluster: Its name.
        before, after: As the reader knew it, and as it is; None where they do not know of it.
    """

    cluster: str
    before: ClusterView | None
    after: ClusterView | None


class Told(msgspec.Struct, frozen=True):
    """What is said by one event.

    Attributes:
        change: What happened; None if nothing did.
    """

    kind: EventKind
    change: Change | ConnectionChanged | None = None


class Event(Protocol):
    """What whoever serves a stream has to know of an event."""

    @property
    def cursor(self) -> str:
        """Where the reader is who has got it; "" if they cannot come back there."""

    @property
    def key(self) -> Hashable:
        """Equal for two readers of a stream of the same kind only if they get the same event, but
        for its cursor; None if nobody else gets it.
        """

    @property
    def trace(self) -> str:
        """Which trace it is part of, as the header `traceparent` has it; "" if none."""

    def shared(self) -> "Event":
        """The same event with `answer.PLACE` for its cursor, if it has one."""

    def object(self) -> object:
        """The answer's object of it."""


class Telling(msgspec.Struct, frozen=True, eq=False):
    """One event.

    Attributes:
        cursor: Where the reader is who has got it.
        occurred_at: When it happened, as far as the cluster tells.
        received_at: When the gateway's worker learned it.
        cluster: The cluster's name.
        ref: The rollout; None if it is not about one.
        view: The rollout as it is then; None if it is gone.
        before: The rollout as it was; None if it was not there, or was not told of.
        reason: Why it is told, in a sentence, where that is not plain.
        key: Equal for two readers of a stream of the same kind only if they get the same event, but
            for its cursor; None if nobody else gets it.
        trace: Which trace it is part of; "" if none.
        make: Makes the answer's object of it.
    """

    told: Told
    cursor: str
    occurred_at: datetime
    received_at: datetime
    cluster: str
    make: "Make"
    ref: RolloutRef | None = None
    view: RolloutView | None = None
    before: RolloutView | None = None
    reason: str = ""
    key: Hashable = None
    trace: str = ""

    def shared(self) -> "Telling":
        """See `Event`."""
        return msgspec.structs.replace(self, cursor=PLACE)

    def object(self) -> object:
        """See `Event`."""
        return self.make(self)


Make = Callable[[Telling], object]


def resync(make: Make, reason: str, cursor: str, at: datetime, cluster: str = "") -> Telling:
    """The event that says that what was told is void."""
    return Telling(
        told=Told(EventKind.RESYNC),
        cursor=cursor,
        occurred_at=at,
        received_at=at,
        cluster=cluster,
        make=make,
        reason=reason,
    )
