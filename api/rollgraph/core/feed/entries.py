"""The numbered facts of one spoke's feed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.refs import ObjectKey
from rollgraph.core.view import RolloutView

# What a fact is about: a rollout by its place in the spoke, None for the spoke itself.
Subject: TypeAlias = ObjectKey | None
# What is known of it; None once it does not exist.
Value: TypeAlias = RolloutView | ClusterView | None


class Position(msgspec.Struct, frozen=True, gc=False):
    """How far somebody has come in a spoke's feed.

    Numbers of different epochs have nothing to do with each other: a feed whose numbers can no
    longer be trusted, for its store lost some, begins a new one.

    Attributes:
        epoch: An opaque name, never used twice.
        seq: The number of the last fact; 0 before the first.
    """

    epoch: str
    seq: int


class Fact(msgspec.Struct, frozen=True, gc=False):
    """Something that a worker has learned.

    Attributes:
        at: When, by the worker's clock.
        trace: Which trace it is part of, as the header `traceparent` has it; "" if none.
    """

    subject: Subject
    value: Value
    at: datetime
    trace: str = ""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A fact in its place.

    Attributes:
        seq: One more than that of the fact before.
        at: When the worker learned it, by the worker's clock.
        trace: As the fact has it.
    """

    seq: int
    subject: Subject
    value: Value
    at: datetime
    trace: str = ""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Facts that follow each other without a gap, at least one; published as one message."""

    cluster: str
    epoch: str
    entries: Sequence[Entry]

    @property
    def first(self) -> int:
        """The number of its first fact."""
        return self.entries[0].seq

    @property
    def position(self) -> Position:
        """Where one is who has read it."""
        return Position(self.epoch, self.entries[-1].seq)


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """All that is known of a spoke, each fact with its number.

    Attributes:
        position: No fact up to here is missing; later ones may be among the entries already, so
            that the log has to be read from here.
        checkpoint: Where the watches go on that have led to just these entries; None if nobody
            knows, and for who does not write the feed.
    """

    position: Position
    entries: Sequence[Entry]
    checkpoint: Checkpoint | None = None
