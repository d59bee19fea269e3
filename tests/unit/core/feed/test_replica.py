"""A reader of a feed ends with what was written, whatever its messages go through on their way."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from factories import NOON, rollout_view
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.feed.entries import Batch, Entry, Position, Snapshot, Subject, Value
from rollgraph.core.feed.replica import Replica, Step
from rollgraph.core.refs import Kind, ObjectKey

WATCH = WatchView(Kind.ROLLOUT, "", ConnectionStatus.CONNECTED, NOON, synced=True)
READ = ClusterView("east", ConnectionStatus.CONNECTED, NOON, watches=(WATCH,))
CHECKOUT, CART = ObjectKey("shop", "checkout"), ObjectKey("shop", "cart")
SUBJECTS: st.SearchStrategy[Subject] = st.sampled_from([CHECKOUT, CART, None])
FACTS = st.tuples(SUBJECTS, st.booleans())


def entry(seq: int, subject: Subject = CHECKOUT, *, gone: bool = False) -> Entry:
    """A fact that differs from those of the numbers around it."""
    at = NOON + timedelta(seconds=seq)
    value: Value = ClusterView("east", ConnectionStatus.CONNECTED, at)
    if subject is not None:
        value = rollout_view(f"east/{subject}", updated_at=at)
    return Entry(seq, subject, None if gone else value, at)


def batch(*seqs: int, epoch: str = "a") -> Batch:
    return Batch("east", epoch, [entry(seq) for seq in seqs])


def snapshot(seq: int, *entries: Entry, epoch: str = "a") -> Snapshot:
    return Snapshot(Position(epoch, seq), entries)


def seqs(steps: Iterable[Step]) -> list[int]:
    return [step.entry.seq for step in steps]


@pytest.fixture
def replica() -> Replica:
    """At 5 of epoch a."""
    found = Replica()
    list(found.reset(snapshot(5, entry(5))))
    return found


def test_what_follows_is_taken(replica: Replica) -> None:
    assert seqs(replica.take(batch(6, 7))) == [6, 7]
    assert replica.position == Position("a", 7)
    assert not replica.broken


def test_a_lost_feed_takes_nothing_away_before_it_is_written_anew_as_a_whole(
    replica: Replica,
) -> None:
    list(replica.take(Batch("east", "a", [entry(6, CART), entry(7, None)])))
    unread, read = entry(1, None), msgspec.structs.replace(entry(9, None), value=READ)
    half, other = entry(1, CART), entry(2, CHECKOUT)
    assert not replica.complete(snapshot(1, half, epoch="b"))
    assert not replica.complete(snapshot(1, unread, epoch="b"))
    assert not replica.complete(snapshot(2, unread, half, epoch="b"))
    assert replica.complete(snapshot(9, half, read, epoch="b"))  # the other is gone indeed
    assert replica.complete(snapshot(3, half, other, entry(3, None), epoch="b"))
    assert replica.complete(snapshot(9, half))  # not lost


def test_who_knows_nothing_takes_what_there_is() -> None:
    assert Replica().complete(snapshot(1, entry(1)))


def test_what_was_taken_before_is_not_taken_again(replica: Replica) -> None:
    assert seqs(replica.take(batch(4, 5, 6))) == [6]
    assert seqs(replica.take(batch(6))) == []
    assert not replica.broken


def test_after_a_gap_nothing_is_taken_until_the_log_has_healed_it(replica: Replica) -> None:
    assert seqs(replica.take(batch(7))) == []
    assert seqs(replica.take(batch(8))) == []
    assert replica.broken
    assert seqs(replica.heal([entry(6), entry(7)])) == [6, 7]
    assert replica.broken, "8 was seen, and is still missing"
    assert seqs(replica.heal([entry(8)])) == [8]
    assert not replica.broken


def test_a_lost_last_message_is_found_by_comparing(replica: Replica) -> None:
    replica.check(Position("a", 5))
    assert not replica.broken
    replica.check(Position("a", 6))
    assert replica.broken


@pytest.mark.parametrize("known", ["message", "comparison"])
def test_another_epoch_needs_a_snapshot(replica: Replica, known: str) -> None:
    if known == "message":
        assert seqs(replica.take(batch(6, epoch="b"))) == []
    else:
        replica.check(Position("b", 6))
    assert replica.broken
    steps = list(replica.reset(snapshot(1, entry(1, CART), epoch="b")))
    assert [(step.entry.subject, step.entry.value is None) for step in steps] == [
        (CHECKOUT, True),
        (CART, False),
    ]
    assert not any(step.whole for step in steps)
    assert not replica.broken


def test_a_snapshot_tells_only_what_differs(replica: Replica) -> None:
    assert seqs(replica.reset(snapshot(9, entry(5), entry(8, CART)))) == [8]


def test_that_there_was_a_hole_is_told_also_if_nothing_is_left_of_it(replica: Replica) -> None:
    list(replica.take(Batch("east", "a", [entry(6, None)])))
    steps = list(replica.reset(snapshot(9, entry(5), entry(6, None))))  # 7 to 9 came and went
    assert [(step.entry.seq, step.position.seq, step.whole) for step in steps] == [(6, 9, False)]
    assert not list(replica.reset(snapshot(9, entry(5), entry(6, None)))), "there was none"


def test_a_fact_that_the_snapshot_had_already_is_not_told_again_from_the_log() -> None:
    replica = Replica()
    # Read slowly: the second fact is of a time after the position.
    list(replica.reset(snapshot(5, entry(5), entry(7, CART))))
    assert seqs(replica.heal([entry(6), entry(7, CART), entry(8)])) == [6, 8]
    assert replica.position == Position("a", 8)


class AReaderOfALossyFeed(RuleBasedStateMachine):
    """A writer with a bounded log, a network that loses and repeats, and one reader."""

    KEPT = 4

    def __init__(self) -> None:
        super().__init__()
        self.epoch, self.seq, self.epochs = "a", 0, 0
        self.written: dict[Subject, tuple[int, Value]] = {}
        self.log: list[Entry] = []
        self.wire: list[Batch] = []
        self.replica = Replica()
        self.read: dict[Subject, Value] = {}
        self.told: list[Step] = []

    @rule(subject=SUBJECTS, gone=st.booleans())
    def write(self, subject: Subject, gone: bool) -> None:
        """A fact enters state, log and network at once."""
        self.seq += 1
        made = entry(self.seq, subject, gone=gone)
        if made.value is None:
            self.written.pop(subject, None)
        else:
            self.written[subject] = (made.seq, made.value)
        self.log = [*self.log, made][-self.KEPT :]
        self.wire.append(Batch("east", self.epoch, [made]))

    @rule()
    def lose_the_store(self) -> None:
        """The store comes back older than it was, and the writer begins a new epoch."""
        self.epochs += 1
        self.epoch, self.seq, self.log = f"epoch-{self.epochs}", 0, []
        facts, self.written = list(self.written.items()), {}
        for subject, (_, value) in facts:
            self.seq += 1
            self.written[subject] = (self.seq, value)
            made = Entry(self.seq, subject, value, NOON)
            self.log = [*self.log, made][-self.KEPT :]
            self.wire.append(Batch("east", self.epoch, [made]))

    @precondition(lambda self: self.wire)
    @rule()
    def deliver(self) -> None:
        self._take(self.replica.take(self.wire.pop(0)))

    @precondition(lambda self: self.wire)
    @rule()
    def deliver_and_repeat_later(self) -> None:
        self.wire.append(self.wire[0])
        self.deliver()

    @precondition(lambda self: self.wire)
    @rule()
    def lose(self) -> None:
        self.wire.pop(0)

    @rule(meanwhile=st.lists(FACTS, max_size=3))
    def compare_and_heal(self, meanwhile: list[tuple[Subject, bool]]) -> None:
        """As the follower does, until nothing is missing."""
        for _ in range(4):
            self.replica.check(Position(self.epoch, self.seq))
            if not self.replica.broken:
                break
            self._heal(meanwhile)
            meanwhile = []
        assert not self.replica.broken
        assert self.read == {subject: value for subject, (_, value) in self.written.items()}

    def _heal(self, meanwhile: list[tuple[Subject, bool]]) -> None:
        here = self.replica.position
        missing = [item for item in self.log if here is not None and item.seq > here.seq]
        if here is not None and here == Position(self.epoch, self.seq - len(missing)):
            self._take(self.replica.heal(missing))
            return
        start = Position(self.epoch, self.seq)
        for subject, gone in meanwhile:  # a snapshot takes a while to be read
            self.write(subject, gone)
        entries = [Entry(seq, key, value, NOON) for key, (seq, value) in self.written.items()]
        self._take(self.replica.reset(Snapshot(start, entries)))

    def _take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self.told.append(step)
            if step.entry.value is None:
                self.read.pop(step.entry.subject, None)
            else:
                self.read[step.entry.subject] = step.entry.value

    @invariant()
    def nothing_is_told_twice_or_backwards(self) -> None:
        told = [step for step in self.told if step.whole]
        for before, after in pairwise(told):
            if before.position.epoch == after.position.epoch:
                assert before.position.seq < after.position.seq

    @invariant()
    def who_is_not_broken_has_what_was_written_up_to_there(self) -> None:
        here = self.replica.position
        if not self.replica.broken and here == Position(self.epoch, self.seq):
            assert self.read == {key: value for key, (_, value) in self.written.items()}


TestAReaderOfALossyFeed = AReaderOfALossyFeed.TestCase
TestAReaderOfALossyFeed.settings = settings(max_examples=200, stateful_step_count=40)
