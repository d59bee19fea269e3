"""From workers to gateways."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Position, Snapshot


class Feed(Protocol):
    """One spoke's feed, as the one worker writes it that has claimed it."""

    @property
    def position(self) -> Position:
        """That of the last fact that was written."""

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """Writes facts in order. If it fails, a beginning of them may have been written.

        Whoever reads the state, the log or the messages finds each fact in all three, with the same
        number. A checkpoint is written with the last of them, in one step, so that it is there only
        beside the state that it is of: a fact of a rollout that is written without one removes it.
        Raises `FencedError` if somebody else has claimed the feed since, or if the store has lost
        some of it; `BrokerError` if the store does not answer. After either it has to be claimed
        anew: that tells what was written, and what differs can be written.
        """


class Broker(Protocol):
    """Carries what workers know of each spoke to every gateway.

    State and log are as durable as the store; messages are delivered at most once, in order, and
    may be lost without a word. Numbers tell (`core.feed`).
    """

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """Takes a spoke's feed over: from then on no earlier claim of it can write.

        Gives what was written before, so that only what differs need be, and the checkpoint of it
        if there is one that can be read. Begins a new epoch if the store cannot vouch for the
        numbers, and one without anything if what was written cannot be read, as another version's.

        Args:
            holder: The worker that last took the spoke's lease (`Leases`); "" where spokes are not
                shared.

        Raises `FencedError` if that is another, `BrokerError` if the store does not answer.
        """

    async def drop(self, cluster: str) -> None:
        """Ends the feed of a spoke that is not there any more. Raises `BrokerError`."""

    async def positions(self) -> Mapping[str, Position]:
        """How far the feed of each spoke has come. Raises `BrokerError`."""

    async def snapshot(self, cluster: str) -> Snapshot | None:
        """All that is known of a spoke; None if it has no feed. Raises `BrokerError`."""

    async def log(self, cluster: str, after: Position) -> Sequence[Entry] | None:
        """Every fact after a position, or None if the log does not reach back so far.

        Raises `BrokerError`.
        """

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Batch | None]]:
        """All messages of all spokes from now on; None where some may have been lost.

        The first item is None: from then on it listens. It does not end by itself: a broken
        connection is made again, and is None.
        """


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a spoke stands among the workers.

    Attributes:
        holder: The worker whose lease it is; "" if it is nobody's.
        weight: What it costs to watch, by what is known of it; 1 or more.
    """

    holder: str
    weight: float


class Leases(Protocol):
    """Which workers live, and which of them watches which spoke.

    Time is the store's own. A lease lasts for some seconds and is renewed by being held again. From
    the moment on in which it is another's, whoever had it before cannot write to the spoke's feed,
    however late it learns of that. Every method raises `BrokerError` if the store does not answer.
    """

    async def join(self, worker: str) -> Collection[str]:
        """Says that a worker lives, and tells all that do; to be said again every few seconds."""

    async def hold(
        self, worker: str, spokes: Collection[str], wanted: Collection[str]
    ) -> Mapping[str, Standing]:
        """How each of these spokes stands.

        Before that the leases that are wanted are taken or renewed, unless they are another's.
        """

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """Gives leases back: others may take them at once. Those of others are left alone."""

    async def leave(self, worker: str) -> None:
        """Says that a worker does not live any more."""
