"""What a worker takes over of a spoke from the one before it, and leaves to the next.

A worker that begins where another's watches ended reads no list: nothing that happened in between
is lost, and nothing is read twice.
"""

import anyio
import anyio.lowlevel
import structlog

from rollgraph.core.errors import RollgraphError
from rollgraph.core.feed.checkpoints import Checkpoint, Inheritance, parts, shape, why_not
from rollgraph.ports import Handover, ListWatch, Spoke
from rollgraph.spokes.informer import Informer
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.projector import Projector

# Seconds that a server has to say which one it is.
TOLD_WITHIN = 4.0
# Rollouts whose objects are put into the stores before others get a turn: some 3 ms.
BATCH = 200

_log = structlog.get_logger(__name__)


class Baton:
    """One worker's.

    Args:
        spoke: What it watches.
        handover: What the one before has left, and where it tells what it knows.
        inventory, informer, projector: Its parts, which have not begun yet.
    """

    def __init__(
        self,
        spoke: Spoke,
        handover: Handover,
        inventory: Inventory,
        informer: Informer,
        projector: Projector,
    ) -> None:
        self._spoke = spoke
        self._handover = handover
        self._inventory = inventory
        self._informer = informer
        self._projector = projector
        self._server = ""

    async def take(self, listwatch: ListWatch) -> bool:
        """Lets the worker begin where the one before has ended; whether that could be."""
        self._server = await _identity(listwatch)
        left = await self._handover.inherited()
        if left is None:
            return False
        reason = why_not(left.checkpoint, self._server, self._spoke.namespaces)
        if left.checkpoint is None or reason:
            _log.info("spoke_read_anew", reason=reason)
            return False
        await self._seed(left, left.checkpoint)
        _log.info("spoke_taken_over", rollouts=len(left.views))
        return True

    def leave(self) -> None:
        """Says how far the worker has come, if all of that is shown."""
        if not self._server or not self._inventory.shown or self._projector.failing:
            return
        strays = self._inventory.strays()
        if strays is not None and self._informer.has_synced:
            namespaces, reached = self._spoke.namespaces, self._informer.reached
            self._handover.reach(Checkpoint(shape(), self._server, namespaces, reached, strays))

    async def _seed(self, left: Inheritance, checkpoint: Checkpoint) -> None:
        self._inventory.seed_strays(checkpoint.strays)
        for number, view in enumerate(left.views):
            if number % BATCH == BATCH - 1:
                await anyio.lowlevel.checkpoint()
            self._inventory.seed(parts(view))
        self._informer.resume(checkpoint.reached)
        self._projector.resume(left.views)
        self._handover.take_over()


async def _identity(listwatch: ListWatch) -> str:
    """Which server it is; "" if it does not say."""
    try:
        with anyio.fail_after(TOLD_WITHIN):
            return await listwatch.identity()
    except (RollgraphError, TimeoutError) as error:
        _log.warning("spoke_not_identified", error=str(error) or "no answer")
        return ""
