"""The fleet's model, in the memory of one process."""

import builtins
import secrets
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from rollgraph.adapters.memory.index import Index
from rollgraph.adapters.memory.rows import ClusterRows, Row
from rollgraph.adapters.memory.walks import Span, Walk
from rollgraph.core import cursors, ordering, paging, predicates
from rollgraph.core.connection import ClusterView
from rollgraph.core.cursors import Cursor, Pin
from rollgraph.core.filtering import Predicate, RolloutFilter, only_cluster, predicate
from rollgraph.core.paging import Order, Page, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility
from rollgraph.ports import Clock

# Orders that are kept sorted: as many as all dashboards together use. Each takes 0.15 kB for each
# rollout, and up to 5 us of each change. The least recently used goes, and with it the pins of its
# walks.
MAX_ORDERS = 16
# Filters, for one visibility each, whose counts are kept until the next change.
_MAX_COUNTS = 256


class MemoryMirror:
    """A `Projection` and a `Mirror` in one.

    Not for threads: every call runs to its end before the event loop turns to anything else, which
    is what makes it atomic.

    Args:
        clock: Tells how old what is kept for walks is.
        number: Tells this mirror's cursors from another's, 0 <= number < 2**32; random by default.
    """

    def __init__(self, clock: Clock, number: int | None = None) -> None:
        self._clock = clock
        self._number = secrets.randbits(32) if number is None else number
        # Grows with each change. A row takes it as its number too.
        self._sequence = 0
        self._clusters: dict[str, ClusterView] = {}
        self._rows: dict[str, ClusterRows] = {}
        self._indexes: OrderedDict[tuple[Order, ...], Index] = OrderedDict()
        self._counts: dict[tuple[RolloutFilter, Hashable], int] = {}

    def put_cluster(self, cluster: ClusterView) -> None:
        """See `Projection`."""
        self._clusters[cluster.name] = cluster

    def put_rollout(self, view: RolloutView) -> None:
        """See `Projection`."""
        self._changed()
        rows = self._rows.get(view.ref.cluster)
        if rows is None:
            rows = self._rows[view.ref.cluster] = ClusterRows()
        row = rows.put(view, self._sequence)
        if self._indexes:
            now = self._clock.now()
            for index in self._indexes.values():
                index.put(row, self._sequence, now)
                index.prune(now)

    def drop_rollout(self, ref: RolloutRef) -> None:
        """See `Projection`."""
        rows = self._rows.get(ref.cluster)
        row = rows.drop(ref) if rows else None
        if row is None:
            return
        self._changed()
        for index in self._indexes.values():
            index.drop(row)

    def drop_cluster(self, name: str) -> None:
        """See `Projection`."""
        self._clusters.pop(name, None)
        rows = self._rows.pop(name, None)
        if rows is None:
            return
        self._changed()
        gone = rows.clear()
        for index in self._indexes.values():
            index.drop_all(gone)

    @property
    def version(self) -> int:
        """See `Mirror`."""
        return self._sequence

    def clusters(self) -> Collection[ClusterView]:
        """See `Mirror`."""
        return [self._clusters[name] for name in sorted(self._clusters)]

    def cluster(self, name: str) -> ClusterView | None:
        """See `Mirror`."""
        return self._clusters.get(name)

    def rollout(self, ref: RolloutRef) -> RolloutView | None:
        """See `Mirror`."""
        rows = self._rows.get(ref.cluster)
        return rows.view(ref) if rows else None

    def page(self, request: PageRequest, visible: Visibility | None = None) -> Page:
        """See `Mirror`."""
        paging.check(request)
        test = _test(request.filter, visible)
        cluster = only_cluster(request.filter)
        order = _order(request.order, cluster)
        after = _cursor(request.after, order, "after")
        before = _cursor(request.before, order, "before")
        index = self._index(order)
        pin = self._pin(index, (after or before) if request.last is None else (before or after))
        whole = _whole(index, order, cluster)
        part = _part(index, whole, after, before)
        walk = Walk(index, pin, test, whole)
        if request.last is None:
            stretch = walk.forward(part, request.first)
        else:
            stretch = walk.backward(part, request.last)
        return Page(
            rollouts=tuple([view for _, view in stretch.found]),
            places=tuple([key for key, _ in stretch.found]),
            encode=cursors.encoder(order, Pin(self._number, pin)),
            has_next=stretch.has_next,
            has_previous=stretch.has_previous,
        )

    def count(self, request: PageRequest, visible: Visibility | None = None) -> int:
        """See `Mirror`."""
        if request.filter is None:
            return sum(rows.summary(visible).total for rows in self._rows.values())
        test = _test(request.filter, visible)
        key = (request.filter, visible.key if visible else None)
        known = self._counts.get(key)
        if known is None:
            if len(self._counts) == _MAX_COUNTS:
                self._counts.clear()
            known = sum(map(test, self._candidates(request.filter)))
            self._counts[key] = known
        return known

    def matching(
        self, filter: RolloutFilter | None, visible: Visibility | None = None
    ) -> Iterator[RolloutView]:
        """See `Mirror`."""
        return builtins.filter(_test(filter, visible), self._candidates(filter))

    def counts(self, cluster: str, visible: Visibility | None = None) -> Mapping[Phase, int]:
        """See `Mirror`."""
        rows = self._rows.get(cluster)
        return rows.summary(visible).phases() if rows else {}

    def namespaces(self, cluster: str, visible: Visibility | None = None) -> Sequence[str]:
        """See `Mirror`."""
        rows = self._rows.get(cluster)
        return rows.summary(visible).namespaces() if rows else ()

    def _changed(self) -> None:
        self._sequence += 1
        self._counts.clear()

    def _candidates(self, filter: RolloutFilter | None) -> Iterator[RolloutView]:
        for rows in self._scope(only_cluster(filter)):
            yield from rows.views()

    def _scope(self, cluster: str | None) -> Iterable[ClusterRows]:
        if cluster is None:
            return self._rows.values()
        rows = self._rows.get(cluster)
        return (rows,) if rows else ()

    def _index(self, order: tuple[Order, ...]) -> Index:
        index = self._indexes.get(order)
        if index is None:
            index = Index(ordering.key(order), self._all_rows(), self._sequence)
            self._indexes[order] = index
            if len(self._indexes) > MAX_ORDERS:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(order)
        return index

    def _all_rows(self) -> Iterator[Row]:
        for rows in self._rows.values():
            yield from rows

    def _pin(self, index: Index, cursor: Cursor | None) -> int:
        """The state that a page shows: the cursor's, as long as that can still be seen."""
        if cursor is not None and cursor.pin.mirror == self._number:
            pinned = cursor.pin.sequence
            if index.holds(pinned):
                return pinned
        return index.pin(self._sequence)


def _test(filter: RolloutFilter | None, visible: Visibility | None) -> Predicate:
    """What is shown and matches; nothing is asked of a rollout that is not shown."""
    wanted = predicate(filter)
    return wanted if visible is None else predicates.every([visible.shows, wanted])


def _cursor(text: str | None, order: tuple[Order, ...], argument: str) -> Cursor | None:
    return None if text is None else cursors.decode(text, order, argument)


def _order(order: tuple[Order, ...], cluster: str | None) -> tuple[Order, ...]:
    """The order to walk: one cluster's rollouts lie together in theirs.

    Lists of one cluster are asked for by the dozen, one for each cluster of a page; searching the
    whole fleet for each would cost 3 ms of every 10,000 rollouts.
    """
    return ordering.canonical(order) if cluster is None else ordering.by_cluster(order)


def _whole(index: Index, order: tuple[Order, ...], cluster: str | None) -> Span:
    """Where all rollouts lie that the filter can let pass."""
    if cluster is None:
        return Span(0, len(index.entries))
    start, stop = ordering.cluster_range(order, cluster)
    return Span(index.at(start), index.at(stop))


def _part(index: Index, whole: Span, after: Cursor | None, before: Cursor | None) -> Span:
    """The part of the whole between two cursors."""
    start = whole.start if after is None else max(index.after(after.key), whole.start)
    stop = whole.stop if before is None else min(index.at(before.key), whole.stop)
    start = min(start, whole.stop)
    return Span(start, max(start, stop))
