"""What a gateway has just taken in, as those hear it who wait for it."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from rollgraph.core.changes import Change, changes
from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.entries import Position, Subject, Value
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView


class Frontier(msgspec.Struct, frozen=True, eq=False):
    """How far a gateway has come in every feed.

    It is equal only to itself, so that what was made of one is found again at once.
    """

    positions: Mapping[str, Position]


class News(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A rollout, or a spoke itself, is not any more as it was.

    It is equal only to itself: all listeners get the same one, and what one of them made of it
    serves the others.

    Attributes:
        subject: The rollout's place in the spoke; None for the spoke itself.
        position: Where in the spoke's feed one is who knows it.
        at: When the worker learned it, by the worker's clock.
        before, after: How it was and is; None for what was not, or is not, there.
        whole: False if there was more in between that nobody knows of any more.
        frontier: Where one is in all feeds who knows this and all news before it. While a hole is
            filled it stays before the hole in this feed: who has only a part of what filled it
            knows no position. None for news that are only remembered.
        trace: Which trace it is part of, as the header `traceparent` has it; "" if none.
    """

    cluster: str
    subject: Subject
    position: Position
    at: datetime
    before: Value
    after: Value
    whole: bool = True
    frontier: Frontier | None = None
    trace: str = ""

    @property
    def ref(self) -> RolloutRef | None:
        """The rollout; None if it is about the spoke itself."""
        if self.subject is None:
            return None
        return RolloutRef(self.cluster, self.subject.namespace, self.subject.name)

    @property
    def views(self) -> tuple[RolloutView | None, RolloutView | None]:
        """The rollout before and after."""
        before, after = self.before, self.after
        return (
            before if isinstance(before, RolloutView) else None,
            after if isinstance(after, RolloutView) else None,
        )

    @property
    def clusters(self) -> tuple[ClusterView | None, ClusterView | None]:
        """The spoke before and after."""
        before, after = self.before, self.after
        return (
            before if isinstance(before, ClusterView) else None,
            after if isinstance(after, ClusterView) else None,
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        """What happened to the rollout; empty if it is about the spoke itself."""
        return _changes(self)


def together(earlier: News, later: News) -> News:
    """Two news of the same subject as one: from how it was before the first to how it is now."""
    return msgspec.structs.replace(later, before=earlier.before, whole=False)


# Comparing takes up to 0.1 ms, and a thousand listeners ask for the same within a moment.
@lru_cache(maxsize=512)
def _changes(news: News) -> tuple[Change, ...]:
    return changes(*news.views)
