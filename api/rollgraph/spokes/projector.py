"""From dirty rollouts to views, and from views that differ to the fleet's model.

A rollout that changes faster than it is shown is shown once, as it is then; but each of its phases
and steps is shown.
"""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TypeAlias

import anyio.lowlevel
import structlog

from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import ObjectKey, RolloutRef
from rollgraph.core.view import RolloutView, build_view
from rollgraph.ports import Projection
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.store import key_of

# Seconds of work before every other task gets its turn: a query must not wait behind a relist.
TURN = 0.005
# Seconds for what waits when it is told to end: a worker that hands its spoke over should leave
# nothing untold, and has half a second in all.
LAST_TURN = 0.1

BuildView: TypeAlias = Callable[[str, Rollout, Belongings], RolloutView]

_log = structlog.get_logger(__name__)


class Projector:
    """Keeps one cluster's views in the fleet's model.

    It outlives the workers of its spoke: what one of them showed and the next does not find again
    is dropped, and nothing is dropped in between.

    Args:
        cluster: The spoke's name.
        projection: The fleet's model.
        build: Derives a view from what is held of a rollout.
    """

    def __init__(self, cluster: str, projection: Projection, build: BuildView = build_view) -> None:
        self._cluster = cluster
        self._projection = projection
        self._build = build
        self._views: dict[ObjectKey, RolloutView] = {}
        # Those that another worker has made, of the same objects, though perhaps by older rules.
        self._unproved: dict[ObjectKey, None] = {}
        self._failing: set[ObjectKey] = set()

    @property
    def failing(self) -> bool:
        """True while some rollout is not shown, for its view could not be made."""
        return bool(self._failing)

    def resume(self, views: Iterable[RolloutView]) -> None:
        """Another worker has shown these, and an inventory that is to be shown next is theirs."""
        self._views = {view.ref.key: view for view in views}
        self._unproved = dict.fromkeys(self._views)

    async def run(
        self,
        inventory: Inventory,
        shown: Callable[[], None] = lambda: None,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        """Shows an inventory whose rollouts have been read, and every change of it.

        Args:
            inventory: What is held of the spoke.
            shown: Called once all that was held at the start is in the fleet's model.
            rest: Called whenever there is nothing that was changed and is not shown.
        """
        if not self._unproved:
            inventory.dirty.mark(self._views)
        try:
            while len(inventory.dirty):
                await self._take_turn(inventory, rest)
            shown()
            while True:
                if not self._unproved:
                    await inventory.dirty.wait()
                await self._take_turn(inventory, rest)
        finally:
            self._unproved.clear()  # whoever comes next begins with a list
            self._turn(inventory, LAST_TURN, rest)

    async def _take_turn(self, inventory: Inventory, rest: Callable[[], None]) -> None:
        self._turn(inventory, TURN, rest)
        await anyio.lowlevel.checkpoint()

    def _turn(self, inventory: Inventory, seconds: float, rest: Callable[[], None]) -> None:
        end = perf_counter() + seconds
        while self._project_next(inventory) and perf_counter() < end:
            pass
        if inventory.shown:
            rest()

    def _project_next(self, inventory: Inventory) -> bool:
        """Shows a state that is over, or else what a rollout is now; False if there is neither.

        In this order, for a state is over only if its rollout is dirty: no view goes back.
        """
        passed = inventory.transitions.take()
        if passed is not None:
            self._show(inventory, key_of(passed), passed)
            return True
        key = inventory.dirty.take()
        if key is None and self._unproved:
            key, _ = self._unproved.popitem()
        if key is None:
            return False
        rollout = inventory.rollouts.get(key)
        if rollout is not None:
            self._show(inventory, key, rollout)
        else:
            self._failing.discard(key)
            if self._views.pop(key, None) is None:
                return True
            self._projection.drop_rollout(RolloutRef(self._cluster, key.namespace, key.name))
        return True

    def _show(self, inventory: Inventory, key: ObjectKey, rollout: Rollout) -> None:
        try:
            view = self._build(self._cluster, rollout, inventory.belongings(rollout))
        except Exception:  # noqa: BLE001 - one odd rollout must not hide all others of its cluster
            _log.exception("rollout_view_failed", rollout=str(key))
            self._failing.add(key)
            return
        self._failing.discard(key)
        if self._views.get(key) != view:
            self._views[key] = view
            self._projection.put_rollout(view)
