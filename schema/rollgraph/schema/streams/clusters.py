"""The stream of how clusters are watched: each as it is first, then each change of it."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.cursors import decode, encode, member
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.feed.topics import SPOKES
from rollgraph.schema.context import Context
from rollgraph.schema.streams.resuming import UNKNOWN, with_frontiers
from rollgraph.schema.streams.stream import Stream
from rollgraph.schema.streams.telling import (
    ConnectionChanged,
    EventKind,
    Make,
    Telling,
    Told,
    resync,
)


class ClusterStream(Stream[Telling]):
    """Events of some clusters.

    A cluster gives a sign of life every few seconds; what is told is another status or problem.

    Args:
        context: The subscription's surroundings.
        wanted: Which clusters.
        make: Makes an answer's object of an event.
        resume_after: The cursor of the last event that the reader got; "" without one.

    Raises `BadCursorError` for a cursor that is none.
    """

    def __init__(
        self,
        context: Context,
        wanted: Callable[[ClusterView], bool],
        make: Make,
        resume_after: str = "",
    ) -> None:
        super().__init__(context, lambda news: news.subject is None, (SPOKES,))
        self._wanted = wanted
        self._make = make
        self._known: dict[str, ClusterView] = {}
        try:
            self._ready.extend(self._begin(resume_after))
        except BaseException:
            self._listening.__exit__(None, None, None)
            raise

    def _begin(self, after: str) -> Sequence[Telling]:
        missed = self._missed(after) if after else None
        if missed is not None:
            return missed
        return [*self._anew()] if after else [*self._compare(EventKind.SNAPSHOT)]

    def _missed(self, after: str) -> Sequence[Telling] | None:
        """What a reader has missed who comes back; None if nobody knows."""
        cursor, news = decode(after), self._context.news
        positions = cursor.positions(news.frontier.positions, self._clusters())
        found = None if positions is None else news.since(positions)
        if positions is None or found is None:
            return None
        theirs = [each for each in found if each.subject is None]
        self._know_as_before(theirs)
        if self._members() != cursor.members:
            self._known.clear()
            return None
        missed = with_frontiers(found, set(theirs), positions, cursor)
        return [telling for item in missed for telling in self._tell_news(item.news)]

    def _know_as_before(self, news: Sequence[News]) -> None:
        """The reader knows what there is now, as it was before these news."""
        views = self.viewing.context().clusters()
        self._known = {view.name: view for view in views if self._wanted(view)}
        for each in reversed(news):
            before, _ = each.clusters
            self._know(each.cluster, before if before and self._sees(before) else None)

    def _renew(self, now: datetime) -> None:
        self._look_anew()

    def _advance(self) -> bool:
        if not self._listening.waiting:
            return False
        news = self._listening.take()
        if news is None:
            self._look_anew()
            return True
        self._ready.extend(self._tell_news(news))
        return True

    def _tell_news(self, news: News) -> Iterator[Telling]:
        assert news.frontier is not None, "what listeners get has one"
        _, after = news.clusters
        shown = after if after is not None and self._sees(after) else None
        for told in self._change(news.cluster, shown, EventKind.ADDED):
            yield self._tell(told, news.at, news.frontier, news)

    def _look_anew(self) -> None:
        self._listening.drain()
        fresh = any(telling.told.kind is EventKind.RESYNC for telling in self._ready)
        # What is ready may not be shown any more: it is as if it had not been heard of.
        while self._ready:
            change = self._ready.pop().told.change
            if isinstance(change, ConnectionChanged):
                self._know(change.cluster, change.before)
        self._ready.extend(self._anew() if fresh else self._compare(EventKind.ADDED))

    def _anew(self) -> Iterator[Telling]:
        """Says that what the reader knows is void, and tells how all is now."""
        cursor = self._cursor(self._context.news.frontier)
        yield resync(self._make, UNKNOWN, cursor, self._context.time())
        yield from self._compare(EventKind.SNAPSHOT)

    def _clusters(self) -> frozenset[str]:
        """The clusters that the viewer may know of."""
        seen = {view.name for view in self.viewing.context().clusters()}
        return frozenset(seen & self._context.news.frontier.positions.keys())

    def _members(self) -> int:
        """The fingerprint of all clusters that the reader knows of."""
        found = 0
        for name in self._known:
            found ^= member(name)
        return found

    def _cursor(self, frontier: Frontier) -> str:
        return encode(frontier, self._clusters(), self._members())

    def _know(self, name: str, view: ClusterView | None) -> None:
        if view is None:
            self._known.pop(name, None)
        else:
            self._known[name] = view

    def _compare(self, new: EventKind) -> Iterator[Telling]:
        """What differs from what the reader knows."""
        frontier, now = self._context.news.frontier, self._context.time()
        views = {
            view.name: view for view in self.viewing.context().clusters() if self._wanted(view)
        }
        for name in sorted(self._known.keys() | views.keys()):
            for told in self._change(name, views.get(name), new):
                yield self._tell(told, now, frontier)

    def _sees(self, view: ClusterView) -> bool:
        return self._wanted(view) and self.viewing.context().cluster(view.name) is not None

    def _change(self, name: str, after: ClusterView | None, new: EventKind) -> Iterator[Told]:
        before = self._known.get(name)
        self._know(name, after)
        if _said(before) == _said(after):
            return
        if before is None:
            kind = new
        else:
            kind = EventKind.CLUSTER_CONNECTION_CHANGED if after else EventKind.DELETED
        yield Told(kind, ConnectionChanged(name, before, after))

    def _tell(
        self, told: Told, at: datetime, frontier: Frontier, news: News | None = None
    ) -> Telling:
        change = told.change
        assert isinstance(change, ConnectionChanged)
        cursor = self._cursor(frontier)
        key: Hashable = None
        if news is not None:
            key = (news, told.kind, change.before and change.before.status, cursor)
        return Telling(
            told=told,
            cursor=cursor,
            occurred_at=change.after.since if change.after is not None else at,
            received_at=at,
            cluster=change.cluster,
            make=self._make,
            key=key,
        )


def _said(view: ClusterView | None) -> object:
    """What a reader waits for; signs of life are not."""
    return view and (view.status, view.problem, view.error, view.labels)
