"""The leases of workers that share one process."""

from collections.abc import Collection, Mapping

import anyio

from rollgraph.adapters.memory.broker import MemoryBroker
from rollgraph.core.assignment import weight
from rollgraph.ports import Standing

# As on Redis.
LASTS = 8.0


class MemoryLeases:
    """A `ports.Leases` in memory.

    Args:
        broker: Has the feeds whose leases these are.
        lasts: Seconds that a lease lasts, and that a worker may be silent.
    """

    def __init__(self, broker: MemoryBroker, lasts: float = LASTS) -> None:
        self._broker = broker
        self._lasts = lasts
        self._heard: dict[str, float] = {}
        self._leases: dict[str, tuple[str, float]] = {}

    async def join(self, worker: str) -> Collection[str]:
        """See `ports.Leases`."""
        now = anyio.current_time()
        self._heard[worker] = now
        self._heard = {name: at for name, at in self._heard.items() if at > now - self._lasts}
        return set(self._heard)

    async def hold(
        self, worker: str, spokes: Collection[str], wanted: Collection[str]
    ) -> Mapping[str, Standing]:
        """See `ports.Leases`."""
        return {spoke: self._stand(spoke, worker, spoke in wanted) for spoke in spokes}

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """See `ports.Leases`."""
        for spoke in spokes:
            if self._leases.get(spoke, ("", 0.0))[0] == worker:
                del self._leases[spoke]
                self._broker.hand(spoke, "")

    async def leave(self, worker: str) -> None:
        """See `ports.Leases`."""
        self._heard.pop(worker, None)

    def _stand(self, spoke: str, worker: str, wanted: bool) -> Standing:
        now = anyio.current_time()
        holder, until = self._leases.get(spoke, ("", 0.0))
        if until <= now:
            holder = ""
        if wanted and holder in {"", worker}:
            holder = worker
            self._leases[spoke] = (worker, now + self._lasts)
            self._broker.hand(spoke, worker)
        return Standing(holder, weight(self._broker.known(spoke)))
