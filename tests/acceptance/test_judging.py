"""The nemesis suite's judgement of what a subscriber was told: it finds what it is there for."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from acceptance.story import Fact, Facts, State, Story
from rollgraph.core.feed.cursors import encode, fingerprint
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier
from rollgraph.schema.streams.rollouts import LOST

PLACE = ("east", "app")
FEED = fingerprint("east", "a")


def state(version: int, phase: str = "HEALTHY") -> State:
    return State("uid", version, phase)


def cursor(seq: int | None) -> str:
    positions = {} if seq is None else {"east": Position("a", seq)}
    return encode(Frontier(positions), frozenset({"east"}), 0)


@dataclass
class Listener:
    """Hears what a test lets it hear; the feed has versions 1 to 9, each as the same number."""

    paced: bool = False
    phase: str = ""
    facts: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.story = Story(lambda _, state: self.phase in ("", state.phase), self.paced)
        self.facts[FEED] = {n: Fact(PLACE, state(n - 1), state(n)) for n in range(2, 10)}
        self.hear(1, kind="SNAPSHOT")

    def hear(self, version: int, seq: int | None = -1, **said: Any) -> None:
        rollout = {"name": "app", "uid": "uid", "resourceVersion": str(version), "phase": "HEALTHY"}
        event = {
            "kind": "ROLLOUT_UPDATED",
            "cursor": cursor(version if seq == -1 else seq),
            "clusterName": "east",
            "rollout": rollout,
        }
        self.story.hear({**event, **said})

    def hear_all(self, *versions: int) -> None:
        for version in versions:
            self.hear(version)

    @property
    def missing(self) -> list[int]:
        found = self.story.missing(self.facts)
        return [int(each.partition("of number ")[2].split()[0]) for each in found]


def test_who_was_told_all_misses_nothing() -> None:
    listener = Listener()
    listener.hear_all(*range(2, 10))
    assert (listener.missing, listener.story.faults) == ([], [])


@pytest.mark.parametrize("left_out", [{2}, {5, 6}, {8}])
def test_what_was_left_out_is_missing(left_out: set[int]) -> None:
    listener = Listener()
    listener.hear_all(*sorted({*range(2, 10)} - left_out))
    assert listener.missing == sorted(left_out)


def test_what_was_told_otherwise_than_it_was_is_missing() -> None:
    listener = Listener()
    listener.hear_all(2, 3)
    listener.hear(3, seq=4)  # the number of the next, and still the state before it
    listener.hear_all(*range(5, 10))
    assert listener.missing == [4]


def test_what_fills_a_hole_stands_for_what_led_there_and_for_nothing_before() -> None:
    listener = Listener()
    listener.hear_all(2, 4)
    listener.hear(7, seq=4)
    listener.hear_all(8, 9)
    assert listener.missing == [3]


def test_what_fills_a_hole_has_no_number_where_none_is_known() -> None:
    listener = Listener()
    listener.hear_all(2)
    listener.hear(7, seq=None)
    listener.hear_all(8, 9)
    assert listener.missing == []


def test_changes_may_be_told_together_to_who_asked_for_it_and_not_be_left_out() -> None:
    paced = Listener(paced=True)
    paced.hear_all(4, 7)
    paced.hear(7, seq=9)
    assert paced.missing == [8, 9]
    paced.hear(9)
    assert paced.missing == []


def test_what_was_held_back_may_be_told_with_what_the_next_epoch_begins_with() -> None:
    paced = Listener(paced=True)
    paced.hear_all(4, 7)
    paced.hear(12, seq=9)
    assert paced.missing == []


def test_what_is_told_twice_or_backwards_is_a_fault() -> None:
    twice, back = Listener(), Listener()
    twice.hear_all(2, 2)
    back.hear_all(3, 2)
    assert ["told twice" in fault for fault in twice.story.faults] == [True]
    assert [fault.split(" ")[0] for fault in back.story.faults] == ["back", "back"]


def test_what_has_one_cursor_may_be_alike_only_if_changes_are_held_back() -> None:
    faults = []
    for paced in (False, True):
        listener = Listener(paced=paced)
        listener.hear_all(2, 2)
        faults.append(len(listener.story.faults))
    assert faults == [1, 0]


def test_who_reads_is_never_told_that_it_was_too_much() -> None:
    for reason, faults in ((LOST, 1), ("what changed since is not known any more", 0)):
        listener = Listener()
        listener.hear(5, kind="RESYNC", reason=reason)
        assert len(listener.story.faults) == faults


def test_one_that_matches_no_more_has_to_be_told_as_deleted() -> None:
    listener = Listener(phase="HEALTHY")
    listener.facts[FEED][3] = Fact(PLACE, state(2), state(3, "PAUSED"))
    listener.facts[FEED][4] = Fact(PLACE, state(3, "PAUSED"), state(4))
    listener.hear(2)
    listener.hear(3, kind="ROLLOUT_DELETED", rollout=None, name="app")
    listener.hear(4, kind="ADDED")
    assert listener.missing == []
    skips = Listener(phase="HEALTHY")
    skips.facts[FEED] |= {n: listener.facts[FEED][n] for n in (3, 4)}
    skips.hear_all(2, 4)
    assert skips.missing == [3]
