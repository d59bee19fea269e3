"""What a subscriber is told, held to what was promised: all of it, once, and in order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from rollgraph.core.feed.cursors import Cursor, decode

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


# The numbered facts of each feed, by the fingerprint that cursors name it with.
Facts: TypeAlias = dict[bytes, dict[int, Fact]]


@dataclass
class Story:
    """One subscriber's, over all its connections.

    Args:
        matches: Whether a rollout is asked for.
        paced: Whether events are held back for `minInterval`: then changes are told together, and
            to who comes back perhaps again.

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
            self._begin_anew()
        cursor = decode(self.cursor)
        if not self.paced:
            self._check_order(cursor, event)
        for feed, seq in cursor.feeds.items():
            self._from.setdefault(feed, seq)
            self._upto[feed] = seq
        if event["kind"] != "RESYNC":
            self._take(cursor, event)

    def missing(self, facts: Facts) -> list[str]:
        """The facts that concern it and were not told, between the first and the last that were."""
        if self.paced:
            return []
        told = {(feed, seq, each.place) for each in self._told for feed, seq in each.feeds.items()}
        ahead = {(each.place, each.state) for each in self._told if not _fact_of(each, facts)}
        return [
            f"{fact} of number {seq} was not told"
            for feed, upto in self._upto.items()
            for seq, fact in facts.get(feed, {}).items()
            if self._from[feed] < seq <= upto and self._concerns(fact)
            if (feed, seq, fact.place) not in told and not _led_to(seq, facts[feed], ahead)
        ]

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
        if not self.paced and (before is None) != (kind in {"SNAPSHOT", "ADDED"}):
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


def _fact_of(told: Told, facts: Facts) -> Fact | None:
    """The fact that was told, if it is known; what fills a hole is no fact by itself."""
    for feed, seq in told.feeds.items():
        fact = facts.get(feed, {}).get(seq)
        if fact and fact.place == told.place and told.state in (fact.after, None):
            return fact
    return None


def _led_to(seq: int, facts: dict[int, Fact], ahead: set[tuple[Place, State | None]]) -> bool:
    """Whether a hole was filled with the state that a fact, or a later one, led to.

    A snapshot of a feed that has begun anew is read while its worker writes on: it tells of some
    facts before their turn.
    """
    place = facts[seq].place
    later = {fact.after for number, fact in facts.items() if number >= seq and fact.place == place}
    return any((place, state) in ahead for state in later)
