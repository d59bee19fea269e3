"""Which rollouts a stream's reader knows of, and what a change is to them.

A rollout that begins to match, or to be shown, is added for the reader, and one that ceases is
deleted, whatever it was for the fleet.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rollgraph.core.changes import Added, Change, Deleted
from rollgraph.core.feed.cursors import member
from rollgraph.core.feed.news import News
from rollgraph.core.filtering import Predicate
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView


class Heard(NamedTuple):
    """What news of a rollout are to a reader.

    Attributes:
        knew: Whether they knew of it before.
        knows: Whether they do now.
    """

    knew: bool
    knows: bool

    def changes(self, news: News) -> tuple[Change, ...]:
        """What has happened for them; empty if it is none of theirs."""
        if self.knew and self.knows:
            return news.changes
        if self.knows:
            return (Added(),)
        return (Deleted(),) if self.knew else ()


class Audience:
    """One reader of a stream.

    Args:
        wanted: Which rollouts they ask for.
        shown: Which they are shown; it may be replaced.

    Attributes:
        known: The rollouts that they know of.
        members: The fingerprint of these (`cursors.member`).
    """

    def __init__(self, wanted: Predicate, shown: Callable[[RolloutView], bool]) -> None:
        self.wanted = wanted
        self.shown = shown
        self.known: set[RolloutRef] = set()
        self.members = 0

    def sees(self, view: RolloutView | None) -> bool:
        """Whether a rollout is asked for and shown, as it is."""
        return view is not None and self.wanted(view) and self.shown(view)

    def learn(self, ref: RolloutRef) -> None:
        """They know of a rollout from now on."""
        if ref not in self.known:
            self.known.add(ref)
            self.members ^= member(ref)

    def forget(self, ref: RolloutRef) -> None:
        """They do not any more."""
        if ref in self.known:
            self.known.discard(ref)
            self.members ^= member(ref)

    def know_only(self, refs: Iterable[RolloutRef]) -> None:
        """They know of these and no others."""
        self.known, self.members = set(), 0
        for ref in refs:
            self.learn(ref)

    def hear(self, news: News) -> Heard:
        """Learns, or forgets, what news of a rollout are about."""
        ref, (_, after) = news.ref, news.views
        if ref is None:
            return Heard(knew=False, knows=False)
        knew, knows = ref in self.known, self.sees(after)
        if knows and not knew:
            self.learn(ref)
        elif knew and not knows:
            self.forget(ref)
        return Heard(knew, knows)
