"""Noticing that rights have changed, for those to whom nothing else happens."""

from collections.abc import Callable

import anyio

from rollgraph.ports import Authority

# Seconds. Before anything new is told the rights are asked for anyway; this is how long a rollout
# that has just been hidden, or shown, waits to be told of if it does not change.
LOOK_EVERY = 1.0


class Renewal:
    """Tells when somebody's rights may be others than before.

    Args:
        authority: Says what viewers may do.
        tell: Called then; at once, and without a wait.
    """

    def __init__(self, authority: Authority, tell: Callable[[], None]) -> None:
        self._authority = authority
        self._tell = tell

    async def run(self) -> None:
        """Looks until cancelled."""
        known = self._authority.stamp
        while True:
            await anyio.sleep(LOOK_EVERY)
            stamp = self._authority.stamp
            if stamp != known:
                known = stamp
                self._tell()
