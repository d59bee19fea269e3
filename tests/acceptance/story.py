"""What a subscriber is told, held to what was promised: all of it, once, and in order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from rollgraph.core.feed.cursors import Cursor, decode
from rollgraph.schema.streams.rollouts import LOST

# Cluster and name; all are in one namespace.
Place: TypeAlias = tuple[str, str]


class State(NamedTuple):
    """A rollout as it is told of, written or listed."""

    uid: str
    version: int
    phase: str


Matches: TypeAlias = Callable[[Place, State], bool]


class Fact(NamedTuple):
    """A change of a rollout as a worker wrote it; None for what is not there."""

    place: Place
    before: State | None
    after: State | None


class Told(NamedTuple):
    """A change as a subscriber heard it; one of the feeds' numbers is that of the fact."""

    feeds: dict[bytes, int]
    place: Place
    state: State | None

    def is_in(self, facts: "Facts") -> bool:
        """Whether it is one of these facts; what fills a hole is none by itself."""
        found = [facts.get(feed, {}).get(seq) for feed, seq in self.feeds.items()]
        return any(
            fact and fact.place == self.place and self.state in (fact.after, None) for fact in found
        )


# The numbered facts of each feed, by the fingerprint that cursors name it with.
Facts: TypeAlias = dict[bytes, dict[int, Fact]]


@dataclass
class Story:
    """One subscriber's, over all its connections.

    Args:
        matches: Whether a rollout is asked for.
        paced: Whether events are held back for `minInterval`: then changes of a rollout are told
            together, and to who comes back perhaps again.

    Attributes:
        cursor: Of the last event.
        known: What was told of each rollout last.
        resyncs: How often it had to begin anew.
        events: How many it has heard.
        faults: What was not as promised.
    """

    matches: Matches
    paced: bool = False
    cursor: str = ""
    known: dict[Place, State] = field(default_factory=dict)
    resyncs: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)
    _from: dict[bytes, int] = field(default_factory=dict)
    _upto: dict[bytes, int] = field(default_factory=dict)
    _told: list[Told] = field(default_factory=list)
    _heard: set[object] = field(default_factory=set)

    def hear(self, event: dict[str, Any]) -> None:
        """The next event."""
        self.events += 1
        self.cursor = event["cursor"]
        if event["kind"] == "RESYNC":
            if event["reason"] == LOST:
                self.faults.append("too much at once, though it reads")
            self._begin_anew()
        cursor = decode(self.cursor)
        if not self.paced:  # cursors stay before what is held back: others come with the same
            self._check_order(cursor, event)
        for feed, seq in cursor.feeds.items():
            self._from.setdefault(feed, seq)
            self._upto[feed] = max(seq, self._upto.get(feed, 0))
        if event["kind"] != "RESYNC":
            self._take(cursor, event)

    def missing(self, facts: Facts) -> list[str]:
        """The facts that concern it and were not told, between the first and the last that were."""
        told = {
            (feed, seq, each.place, each.state)
            for each in self._told
            for feed, seq in each.feeds.items()
        }
        otherwise = self._told_together if self.paced else self._told_before_its_turn
        return [
            f"{fact} of number {seq} was not told"
            for feed, upto in self._upto.items()
            for seq, fact in facts.get(feed, {}).items()
            if self._from[feed] < seq <= upto and self._concerns(fact)
            if (feed, seq, fact.place, self._shown(fact)) not in told
            and not otherwise(feed, seq, facts)
        ]

    def _shown(self, fact: Fact) -> State | None:
        """What a fact is to it; None if the rollout is not, or no longer, among those asked for."""
        after = fact.after
        return after if after is not None and self.matches(fact.place, after) else None

    def _told_before_its_turn(self, feed: bytes, seq: int, facts: Facts) -> bool:
        """Whether what fills a hole told of a fact, or of what it led to.

        A snapshot of a feed that has begun anew is read while its worker writes on. What fills a
        hole with it has the number from before the hole, or none, and is no fact by itself.
        """
        place, later = facts[feed][seq].place, self._led_to(seq, facts[feed])
        return any(
            each.place == place
            and each.state in later
            and each.feeds.get(feed, 0) < seq
            and not each.is_in(facts)
            for each in self._told
        )

    def _told_together(self, feed: bytes, seq: int, facts: Facts) -> bool:
        """Whether what a fact, with others, led to was told; nothing need be if that is nothing.

        The others may be those of the feed's next epoch, or what filled a hole: then its version is
        what tells that it is later.
        """
        fact, later = facts[feed][seq], self._led_to(seq, facts[feed])
        return None in later or any(
            each.state in later or _is_later(each.state, fact.after)
            for each in self._told
            if each.place == fact.place
        )

    def _led_to(self, seq: int, facts: dict[int, Fact]) -> set[State | None]:
        """What a rollout is to it from a fact on."""
        place = facts[seq].place
        return {self._shown(fact) for n, fact in facts.items() if n >= seq and fact.place == place}

    def forget(self) -> None:
        """What has been looked at need not be kept: from here on it is looked at anew."""
        self._from = dict(self._upto)
        self._told.clear()
        self._heard.clear()

    def _begin_anew(self) -> None:
        self.resyncs += 1
        self.known.clear()
        self._from.clear()
        self._upto.clear()
        self._told.clear()
        self._heard.clear()

    def _check_order(self, cursor: Cursor, event: dict[str, Any]) -> None:
        for feed, seq in cursor.feeds.items():
            if seq < self._upto.get(feed, 0):
                self.faults.append(f"back from {self._upto[feed]} to {seq}: {event}")
        # What was not seen while a hole was filled has one cursor for all of it.
        key = (event["cursor"], event["kind"], repr(event.get("rollout") or event.get("name")))
        if key in self._heard:
            self.faults.append(f"told twice: {event}")
        self._heard.add(key)

    def _take(self, cursor: Cursor, event: dict[str, Any]) -> None:
        kind, rollout = event["kind"], event.get("rollout")
        place = (event["clusterName"], (rollout or event)["name"])
        before = self.known.get(place)
        if rollout is None:
            self.known.pop(place, None)
            self._told.append(Told(cursor.feeds, place, None))
            return
        state = State(rollout["uid"], int(rollout["resourceVersion"]), rollout["phase"])
        if (before is None) != (kind in {"SNAPSHOT", "ADDED"}):
            self.faults.append(f"{kind} of one known as {before}: {event}")
        if before and before.uid == state.uid and before.version > state.version:
            self.faults.append(f"back from version {before.version}: {event}")
        if not self.matches(place, state):
            self.faults.append(f"not asked for: {event}")
        self.known[place] = state
        if kind != "SNAPSHOT":
            self._told.append(Told(cursor.feeds, place, state))

    def _concerns(self, fact: Fact) -> bool:
        sides = (fact.before, fact.after)
        return any(side is not None and self.matches(fact.place, side) for side in sides)


def _is_later(state: State | None, than: State | None) -> bool:
    if state is None or than is None:
        return False
    return state.uid == than.uid and state.version >= than.version
