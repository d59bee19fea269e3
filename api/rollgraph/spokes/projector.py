"""From dirty rollouts to views, and from views that differ to the fleet's model.

A rollout that changes faster than it is shown is shown once, as it is then; but each of its phases
and steps is shown.
"""

from collections.abc import Callable
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

    async def run(self, inventory: Inventory, shown: Callable[[], None] = lambda: None) -> None:
        """Shows an inventory whose rollouts have been read, and every change of it.

        Args:
            inventory: What is held of the spoke.
            shown: Called once all that was held at the start is in the fleet's model.
        """
        inventory.dirty.mark(self._views)
        while len(inventory.dirty):
            await self._take_turn(inventory)
        shown()
        while True:
            await inventory.dirty.wait()
            await self._take_turn(inventory)

    async def _take_turn(self, inventory: Inventory) -> None:
        end = perf_counter() + TURN
        while self._project_next(inventory) and perf_counter() < end:
            pass
        await anyio.lowlevel.checkpoint()

    def _project_next(self, inventory: Inventory) -> bool:
        """Shows a state that is over, or else what a rollout is now; False if there is neither.

        In this order, for a state is over only if its rollout is dirty: no view goes back.
        """
        passed = inventory.transitions.take()
        if passed is not None:
            self._show(inventory, key_of(passed), passed)
            return True
        key = inventory.dirty.take()
        if key is None:
            return False
        rollout = inventory.rollouts.get(key)
        if rollout is not None:
            self._show(inventory, key, rollout)
        elif self._views.pop(key, None) is not None:
            self._projection.drop_rollout(RolloutRef(self._cluster, key.namespace, key.name))
        return True

    def _show(self, inventory: Inventory, key: ObjectKey, rollout: Rollout) -> None:
        try:
            view = self._build(self._cluster, rollout, inventory.belongings(rollout))
        except Exception:  # noqa: BLE001 - one odd rollout must not hide all others of its cluster
            _log.exception("rollout_view_failed", rollout=str(key))
            return
        if self._views.get(key) != view:
            self._views[key] = view
            self._projection.put_rollout(view)
