"""Leases in memory whose store can be away."""

from collections.abc import Collection, Mapping

import anyio

from rollgraph.core.errors import BrokerError
from rollgraph.ports import Leases, Standing


class FaultyLeases:
    """A `ports.Leases`.

    Attributes:
        away: Whether every call fails.
        calls: How often it was asked anything.
    """

    def __init__(self, inner: Leases) -> None:
        self._inner = inner
        self.away = False
        self.calls = 0

    async def join(self, worker: str) -> Collection[str]:
        """Of the port."""
        await self._answer()
        return await self._inner.join(worker)

    async def hold(
        self, worker: str, spokes: Collection[str], wanted: Collection[str]
    ) -> Mapping[str, Standing]:
        """Of the port."""
        await self._answer()
        return await self._inner.hold(worker, spokes, wanted)

    async def release(self, worker: str, spokes: Collection[str]) -> None:
        """Of the port."""
        await self._answer()
        await self._inner.release(worker, spokes)

    async def leave(self, worker: str) -> None:
        """Of the port."""
        await self._answer()
        await self._inner.leave(worker)

    async def _answer(self) -> None:
        self.calls += 1
        await anyio.sleep(0.005)
        if self.away:
            raise BrokerError("no connection")
