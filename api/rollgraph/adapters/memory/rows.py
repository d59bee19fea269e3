"""What the mirror holds of each rollout and cluster, and what it counts as it goes."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from rollgraph.core import ordering
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView

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


class ClusterRows:
    """The rollouts of one cluster."""

    def __init__(self) -> None:
        self._rows: dict[_Path, Row] = {}
        self._phases: Counter[Phase] = Counter()
        self._namespaces: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._rows)

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
            row = self._rows[path] = Row(number, ordering.place(view.ref), view)
            self._count(view, 1)
        else:
            if row.view is not None and row.view.phase is not view.phase:
                self._phases[row.view.phase] -= 1
                self._phases[view.phase] += 1
            row.view = view
        return row

    def drop(self, ref: RolloutRef) -> Row | None:
        """Takes a rollout out."""
        row = self._rows.pop((ref.namespace, ref.name), None)
        if row is None or row.view is None:
            return None
        self._count(row.view, -1)
        row.view = None
        return row

    def clear(self) -> list[Row]:
        """Takes all rollouts out."""
        rows = list(self._rows.values())
        for row in rows:
            row.view = None
        self._rows.clear()
        self._phases.clear()
        self._namespaces.clear()
        return rows

    def phases(self) -> dict[Phase, int]:
        """How many rollouts are in each phase; phases without any are left out."""
        return {phase: self._phases[phase] for phase in Phase if self._phases[phase]}

    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that have rollouts, by name."""
        return tuple(sorted(name for name, rollouts in self._namespaces.items() if rollouts))

    def _count(self, view: RolloutView, change: int) -> None:
        self._phases[view.phase] += change
        self._namespaces[view.ref.namespace] += change
        if not self._namespaces[view.ref.namespace]:
            del self._namespaces[view.ref.namespace]
