"""Which rollouts a stream's reader knows of, and what a change is to them.

A rollout that begins to match, or to be shown, is added for the reader, and one that ceases is
deleted, whatever it was for the fleet.
"""

from collections.abc import Callable, Iterable

from rollgraph.core.changes import Added, Change, Deleted
from rollgraph.core.feed.cursors import member
from rollgraph.core.feed.news import News
from rollgraph.core.filtering import Predicate
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView


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

    def hear(self, news: News) -> tuple[Change, ...]:
        """What news of a rollout are to them; empty if it is none of theirs."""
        ref, (_, after) = news.ref, news.views
        if ref is None:
            return ()
        known, sees = ref in self.known, self.sees(after)
        if known and sees:
            return news.changes
        if sees:
            self.learn(ref)
            return (Added(),)
        if known:
            self.forget(ref)
            return (Deleted(),)
        return ()
