"""What is said of rollouts, in events; made once for all readers who are told the same."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from rollgraph.core.changes import AnalysisRunChanged
from rollgraph.core.feed.audience import Heard
from rollgraph.core.feed.cursors import encode
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.schema.streams.telling import KINDS, EventKind, Make, Telling, Told

Says = Callable[[Sequence[Told], RolloutView | None, RolloutView | None], Sequence[Told]]

# News whose events are kept: a thousand readers of one rollout ask for them within a moment.
_KEPT = 512


class Mark(msgspec.Struct, frozen=True):
    """Where a reader is who is told some news.

    Attributes:
        frontier: How far they are then.
        clusters: The spokes that concern them.
        before, after: The fingerprint of the rollouts that they know of (`cursors.member`).
        partly: Whether they can come back amid the events of these news.
    """

    frontier: Frontier
    clusters: frozenset[str]
    before: int
    after: int
    partly: bool


class Wording(msgspec.Struct, frozen=True):
    """How a stream puts things.

    Attributes:
        make: Makes an answer's object of an event.
        kinds: Which events it tells; None for all. RESYNC is told to everybody.
        says: What is said of a rollout whose changes are these, in order; None for just these.
    """

    make: Make
    kinds: frozenset[EventKind] | None = None
    says: Says | None = None

    def of_view(
        self, view: RolloutView, kind: EventKind, cursor: str, at: datetime
    ) -> Iterator[Telling]:
        """A rollout as it is, at a moment."""
        for told in self._said([Told(kind)], None, view):
            yield Telling(
                told=told,
                cursor=cursor,
                occurred_at=view.updated_at,
                received_at=at,
                cluster=view.ref.cluster,
                make=self.make,
                ref=view.ref,
                view=view,
            )

    def of_gone(self, ref: RolloutRef, cursor: str, at: datetime) -> Iterator[Telling]:
        """A rollout that is not there any more, at a moment."""
        for told in self._said([Told(EventKind.DELETED)], None, None):
            yield Telling(
                told=told,
                cursor=cursor,
                occurred_at=at,
                received_at=at,
                cluster=ref.cluster,
                make=self.make,
                ref=ref,
            )

    def of_news(self, news: News, heard: Heard, mark: Mark, skip: int = 0) -> tuple[Telling, ...]:
        """What happened.

        Args:
            heard: What it is to the reader.
            mark: Where the reader is.
            skip: How many of the events they have got before.
        """
        return tuple(self._of_news(news, heard, mark, skip))

    def _of_news(self, news: News, heard: Heard, mark: Mark, skip: int) -> Iterator[Telling]:
        before, after = news.views
        changes = [Told(KINDS[type(change)], change) for change in heard.changes(news)]
        told = self._says(changes, before if heard.knew else None, after)
        for index, each in enumerate(told):
            if index < skip or not self._is_of_a_kind(each):
                continue
            last = index == len(told) - 1
            members = mark.after if last else mark.before
            begun = None if last or not (news.whole and mark.partly) else (news.cluster, index + 1)
            view = None if each.kind is EventKind.DELETED else after
            yield Telling(
                told=each,
                cursor=encode(mark.frontier, mark.clusters, members, begun),
                occurred_at=_occurred(each, before, view) or news.at,
                received_at=news.at,
                cluster=news.cluster,
                make=self.make,
                ref=news.ref,
                view=view,
                before=before,
                key=(news, index, each.kind),
                trace=news.trace,
            )

    def _said(
        self, told: Sequence[Told], before: RolloutView | None, after: RolloutView | None
    ) -> Iterator[Told]:
        return (each for each in self._says(told, before, after) if self._is_of_a_kind(each))

    def _says(
        self, told: Sequence[Told], before: RolloutView | None, after: RolloutView | None
    ) -> Sequence[Told]:
        return told if self.says is None else self.says(told, before, after)

    def _is_of_a_kind(self, told: Told) -> bool:
        return self.kinds is None or told.kind in self.kinds


@lru_cache(maxsize=_KEPT)
def of_news(wording: Wording, news: News, heard: Heard, mark: Mark) -> tuple[Telling, ...]:
    """`Wording.of_news`, made for the first reader of whom all of this is so."""
    return wording.of_news(news, heard, mark)


def _occurred(told: Told, before: RolloutView | None, after: RolloutView | None) -> datetime | None:
    """When the cluster wrote what changed; None if it does not say."""
    if isinstance(told.change, AnalysisRunChanged):
        return told.change.run.run.metadata.written_at
    if after is None or (before is not None and before.updated_at == after.updated_at):
        return None
    return after.updated_at
