"""What the mirror holds of each rollout and cluster, and what it counts as it goes."""

from collections import Counter
from collections.abc import Hashable, Iterator

import msgspec

from rollgraph.core import ordering
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility

# Visibilities for which a cluster is kept counted: about as many people with rights of their own as
# look at a cluster at the same time. Beyond that all are counted again: 0.1 ms for 100 rollouts.
MAX_SUMMARIES = 64

# Namespace and name: as a tuple of strings, which keep their hashes, it is found four times as
# fast as by a struct.
_Path = tuple[str, str]


class Row(msgspec.Struct, gc=False, eq=False):
    """One rollout from its first view to its end.

    One that is deleted and made again has a new row.

    Attributes:
        number: Unique within the mirror.
        place: Its key in the order of the tie-break.
        view: The latest; None once the rollout is gone.
    """

    number: int
    place: bytes
    view: RolloutView | None


class Summary:
    """Rollouts of one cluster, counted."""

    def __init__(self) -> None:
        self._phases: Counter[Phase] = Counter()
        self._namespaces: Counter[str] = Counter()

    def count(self, view: RolloutView, change: int) -> None:
        """Counts a rollout in, or out with a change of -1."""
        self._phases[view.phase] += change
        self._namespaces[view.ref.namespace] += change
        if not self._namespaces[view.ref.namespace]:
            del self._namespaces[view.ref.namespace]

    @property
    def total(self) -> int:
        """How many there are."""
        return self._phases.total()

    def phases(self) -> dict[Phase, int]:
        """How many rollouts are in each phase; phases without any are left out."""
        return {phase: self._phases[phase] for phase in Phase if self._phases[phase]}

    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that have rollouts, by name."""
        return tuple(sorted(self._namespaces))


class ClusterRows:
    """The rollouts of one cluster."""

    def __init__(self) -> None:
        self._rows: dict[_Path, Row] = {}
        self._all = Summary()
        self._shown: dict[Hashable, Summary] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def view(self, ref: RolloutRef) -> RolloutView | None:
        """The latest view of a rollout."""
        row = self._rows.get((ref.namespace, ref.name))
        return row.view if row else None

    def views(self) -> Iterator[RolloutView]:
        """The latest view of every rollout."""
        return (row.view for row in self._rows.values() if row.view is not None)

    def put(self, view: RolloutView, number: int) -> Row:
        """Adds or replaces a view; `number` is that of the row, should it be a new one."""
        path = (view.ref.namespace, view.ref.name)
        row = self._rows.get(path)
        if row is None:
            row = self._rows[path] = Row(number, ordering.place(view.ref), None)
        self._replace(row, view)
        return row

    def drop(self, ref: RolloutRef) -> Row | None:
        """Takes a rollout out."""
        row = self._rows.pop((ref.namespace, ref.name), None)
        if row is None or row.view is None:
            return None
        self._replace(row, None)
        return row

    def clear(self) -> list[Row]:
        """Takes all rollouts out."""
        rows = list(self._rows.values())
        for row in rows:
            row.view = None
        self._rows.clear()
        self._all = Summary()
        self._shown.clear()
        return rows

    def summary(self, visible: Visibility | None) -> Summary:
        """The rollouts that are shown, counted."""
        if visible is None:
            return self._all
        found = self._shown.get(visible.key)
        if found is None:
            if len(self._shown) == MAX_SUMMARIES:
                self._shown.clear()
            found = self._shown[visible.key] = Summary()
            for view in filter(visible.shows, self.views()):
                found.count(view, 1)
        return found

    def _replace(self, row: Row, view: RolloutView | None) -> None:
        self._shown.clear()
        if row.view is not None:
            self._all.count(row.view, -1)
        row.view = view
        if view is not None:
            self._all.count(view, 1)
