"""The stream of how clusters are watched: each as it is first, then each change of it."""

from collections.abc import Callable, Iterator
from datetime import datetime

from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.cursors import encode
from rollgraph.core.feed.news import Frontier
from rollgraph.schema.context import Context
from rollgraph.schema.streams.stream import Stream
from rollgraph.schema.streams.telling import ConnectionChanged, EventKind, Make, Telling, Told


class ClusterStream(Stream[Telling]):
    """Events of some clusters.

    A cluster gives a sign of life every few seconds; what is told is another status or problem.

    Args:
        context: The subscription's surroundings.
        wanted: Which clusters.
        make: Makes an answer's object of an event.
    """

    def __init__(self, context: Context, wanted: Callable[[ClusterView], bool], make: Make) -> None:
        super().__init__(context, lambda news: news.subject is None)
        self._wanted = wanted
        self._make = make
        self._known: dict[str, ClusterView] = {}
        self._ready.extend(self._compare(EventKind.SNAPSHOT))

    def _renew(self, now: datetime) -> None:
        self._look_anew()

    def _advance(self, now: datetime) -> bool:
        if not self._listening.waiting:
            return False
        news = self._listening.take()
        if news is None:
            self._look_anew()
            return True
        assert news.frontier is not None, "what listeners get has one"
        _, after = news.clusters
        shown = after if after is not None and self._sees(after) else None
        changed = self._change(news.cluster, shown, EventKind.ADDED)
        self._ready.extend(self._tell(each, news.at, news.frontier) for each in changed)
        return True

    def _look_anew(self) -> None:
        self._listening.drain()
        # What is ready may not be shown any more: it is as if it had not been heard of.
        while self._ready:
            change = self._ready.pop().told.change
            assert isinstance(change, ConnectionChanged)
            self._know(change.cluster, change.before)
        self._ready.extend(self._compare(EventKind.ADDED))

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

    def _tell(self, told: Told, at: datetime, frontier: Frontier) -> Telling:
        change = told.change
        assert isinstance(change, ConnectionChanged)
        return Telling(
            told=told,
            cursor=encode(frontier, frozenset({change.cluster}), 0),
            occurred_at=change.after.since if change.after is not None else at,
            received_at=at,
            cluster=change.cluster,
            make=self._make,
        )


def _said(view: ClusterView | None) -> object:
    """What a reader waits for; signs of life are not."""
    return view and (view.status, view.problem, view.error, view.labels)
