"""Feeds of spokes that went while nobody watched them."""

from collections.abc import Callable

import anyio
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.ports import Broker, Leases

# Seconds between two looks. What nobody has held or known at two of them in a row is gone: longer
# than workers with a newer list of spokes take to start one after the other.
EVERY = 60.0

_log = structlog.get_logger(__name__)


class Clearing:
    """Ends feeds whose spoke is in no source any more, and was taken out without a worker noticing.

    As when all workers are started anew with another kubeconfig: none of them has ever watched it,
    and gateways would show it, stale, for ever.

    Args:
        broker: Where the feeds are.
        leases: Tells whether somebody else, who still knows the spoke, watches it.
        exists: Whether there is a spoke of a name.
    """

    def __init__(self, broker: Broker, leases: Leases, exists: Callable[[str], bool]) -> None:
        self._broker = broker
        self._leases = leases
        self._exists = exists

    async def run(self) -> None:
        """Looks until cancelled. Raises nothing that the broker can cause."""
        before: set[str] = set()
        while True:
            await anyio.sleep(EVERY)
            try:
                before = await self._look(before)
            except BrokerError as error:
                _log.warning("feeds_not_cleared", error=str(error))

    async def _look(self, before: set[str]) -> set[str]:
        """Ends what was nobody's before, too; what is nobody's now."""
        unknown = [name for name in await self._broker.positions() if not self._exists(name)]
        found = await self._leases.hold("", unknown, ())
        free = {name for name, standing in found.items() if not standing.holder}
        for name in sorted(free & before):
            _log.info("feed_of_nobody_ended", cluster=name)
            await self._broker.drop(name)
        return free - before
