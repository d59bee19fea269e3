"""A reader's copy of one spoke's feed: what a message means, and what a gap is healed with.

The messages come by pub/sub, which loses some without a word. Numbers tell: what follows the last
one is taken, what is not newer was taken before, and anything else is a gap. While there is a gap
no message is taken: the log has them all, or where it does not reach back so far, a snapshot.

Steps are given one by one, and the reader is where the last one led to. Whoever takes some of them
and waits before they take the next does nothing else with the replica meanwhile but `check` it.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.entries import Batch, Entry, Position, Snapshot, Subject
from rollgraph.core.objects.meta import EPOCH


class Step(msgspec.Struct, frozen=True, gc=False):
    """A fact that a reader has just taken.

    Attributes:
        position: Where the reader is then.
        whole: False if facts in between are not known: the story has a hole, the state has not.
    """

    entry: Entry
    position: Position
    whole: bool = True


class Replica:
    """What a reader has of one spoke's feed.

    Attributes:
        position: How far it has come; None before the first snapshot.
        newest: The newest number that was seen of `position`'s epoch.
        broken: True while something is missing.
    """

    def __init__(self) -> None:
        self.position: Position | None = None
        self.newest = 0
        self.broken = True
        self._seqs: dict[Subject, int] = {}

    def take(self, batch: Batch) -> Iterator[Step]:
        """What of a message is new; nothing if there is a gap before it."""
        here = self.position
        if here is None or batch.epoch != here.epoch:
            self.broken = True
            return
        self.newest = max(self.newest, batch.position.seq)
        if self.broken or batch.position.seq <= here.seq:
            return
        if batch.first > here.seq + 1:
            self.broken = True
            return
        yield from self._walk(batch.epoch, batch.entries)

    def miss(self, batch: Batch) -> None:
        """Leaves a message to the log, which has to be read from where the reader is."""
        self.broken = True
        if self.position is not None and batch.epoch == self.position.epoch:
            self.newest = max(self.newest, batch.position.seq)

    def check(self, position: Position) -> None:
        """Compares with how far the feed has come: finds a loss after which nothing came."""
        if self.position is None or position.epoch != self.position.epoch:
            self.broken = True
            return
        self.newest = max(self.newest, position.seq)
        if position.seq > self.position.seq:
            self.broken = True

    def heal(self, log: Sequence[Entry]) -> Iterator[Step]:
        """Takes the log's facts after `position`, which must be all of them, of its epoch."""
        here = self.position
        assert here is not None, "without a position only a snapshot can heal"
        yield from self._walk(here.epoch, log)
        self._settle()

    def complete(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot may take the place of what is held.

        Not if something would go with it while a feed that was lost is written anew: the spoke
        itself is written last then, and by a worker that has to read it first, as one not synced.
        """
        here = self.position
        if here is None or here.epoch == snapshot.position.epoch or None not in self._seqs:
            return True
        if self._seqs.keys() <= {entry.subject for entry in snapshot.entries}:
            return True
        return any(
            isinstance(entry.value, ClusterView) and entry.value.synced
            for entry in snapshot.entries
        )

    def reset(self, snapshot: Snapshot) -> Iterator[Step]:
        """Starts over from a snapshot: what differs from what was held, deletions first.

        Nobody knows what happened in between, so each step says that it is not `whole`. If nothing
        differs, for what came went again, the spoke itself is told: else nobody would hear that
        there was a hole.
        """
        here, before = self._seqs, self.position
        self._seqs = {entry.subject: entry.seq for entry in snapshot.entries}
        self.position = snapshot.position
        self.newest = snapshot.position.seq
        known = here if before is not None and before.epoch == snapshot.position.epoch else {}
        found = [_gone(subject, snapshot) for subject in here.keys() - self._seqs.keys()]
        found += [entry for entry in snapshot.entries if known.get(entry.subject) != entry.seq]
        if not found and before != snapshot.position:
            found = [entry for entry in snapshot.entries if entry.subject is None]
        for entry in found:
            yield self._step(entry, whole=False)
        self._settle()

    def _walk(self, epoch: str, entries: Iterable[Entry]) -> Iterator[Step]:
        assert self.position is not None
        for entry in entries:
            if entry.seq <= self.position.seq:
                continue
            self.position = Position(epoch, entry.seq)
            # A snapshot may have held the fact already, for it takes a while to be read.
            if entry.seq <= self._seqs.get(entry.subject, 0):
                continue
            self._note(entry)
            yield self._step(entry, whole=True)

    def _note(self, entry: Entry) -> None:
        if entry.value is None:
            self._seqs.pop(entry.subject, None)
        else:
            self._seqs[entry.subject] = entry.seq

    def _step(self, entry: Entry, *, whole: bool) -> Step:
        assert self.position is not None
        return Step(entry, self.position, whole)

    def _settle(self) -> None:
        assert self.position is not None
        self.newest = max(self.newest, self.position.seq)
        self.broken = self.newest > self.position.seq


def _gone(subject: Subject, snapshot: Snapshot) -> Entry:
    # Nobody knows when; not after the newest of what is there.
    at = max((entry.at for entry in snapshot.entries), default=EPOCH)
    return Entry(snapshot.position.seq, subject, None, at)
