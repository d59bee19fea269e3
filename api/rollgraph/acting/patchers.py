"""The spokes that can be acted on: opened when first needed, closed when they are gone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import structlog

from rollgraph.acting.allowances import Allowances
from rollgraph.core.actions.plan import Manifest
from rollgraph.core.errors import UnreachableError
from rollgraph.core.identity import OURSELVES, Identity
from rollgraph.ports import Patcher, Spoke, SpokeSource

_log = structlog.get_logger(__name__)


class Seat:
    """One description of a spoke, and what is open by it.

    Attributes:
        spoke: The description.
        allowances: What the spoke allows, as far as it was asked.
    """

    def __init__(self, spoke: Spoke) -> None:
        self.spoke = spoke
        self.allowances = Allowances()
        self._patcher: Patcher | None = None
        self._lock = anyio.Lock()
        self._users = 0
        self._retired = False

    @asynccontextmanager
    async def patcher(self) -> AsyncIterator[Patcher]:
        """The open API server; it stays open until the last of its users has left.

        Raises `ConfigError` or a `SpokeError` if it cannot be opened.
        """
        self._users += 1
        try:
            yield await self._open()
        finally:
            self._users -= 1
            with anyio.CancelScope(shield=True):
                await self._close_if_done()

    async def retire(self) -> None:
        """Closes it, once nobody uses it any more."""
        self._retired = True
        await self._close_if_done()

    async def _open(self) -> Patcher:
        async with self._lock:
            if self._patcher is None:
                if self.spoke.open_patcher is None:
                    raise UnreachableError("this cluster can be watched, but not be acted on")
                self._patcher = await self.spoke.open_patcher()
            return self._patcher

    async def _close_if_done(self) -> None:
        if self._retired and self._users == 0 and self._patcher is not None:
            patcher, self._patcher = self._patcher, None
            await patcher.close()


class Patchers:
    """The seats of all spokes of a source."""

    def __init__(self) -> None:
        self._seats: dict[str, Seat] = {}

    def seat(self, cluster: str) -> Seat | None:
        """Where a spoke is acted on; None if there is none of that name."""
        return self._seats.get(cluster)

    def follow(self, source: SpokeSource) -> SpokeSource:
        """The same source; whoever watches it keeps the seats up with it."""
        return _Followed(source, self)

    async def create_event(self, cluster: str, event: Manifest, as_: Identity = OURSELVES) -> None:
        """Creates a Kubernetes Event on a spoke; raises a `RollgraphError` if it cannot."""
        seat = self.seat(cluster)
        if seat is None:
            raise UnreachableError(f"there is no cluster {cluster!r} any more")
        async with seat.patcher() as patcher:
            await patcher.create_event(event, as_=as_)

    async def renew(self, seat: Seat) -> None:
        """Opens a spoke anew at its next use: its credentials have come to an end."""
        if self._seats.get(seat.spoke.name) is seat:
            self._seats[seat.spoke.name] = Seat(seat.spoke)
            await seat.retire()

    async def settle(self, spokes: Sequence[Spoke]) -> None:
        """Makes the spokes of the source those that can be acted on."""
        wanted = {spoke.name: spoke for spoke in spokes}
        for name, seat in list(self._seats.items()):
            if name not in wanted or _differ(seat.spoke, wanted[name]):
                del self._seats[name]
                await seat.retire()
        for name, spoke in wanted.items():
            # What does not differ may still have another object to be opened by.
            if name not in self._seats:
                self._seats[name] = Seat(spoke)

    async def close(self) -> None:
        """Closes everything that nobody uses."""
        await self.settle(())


class _Followed:
    def __init__(self, source: SpokeSource, patchers: Patchers) -> None:
        self._source = source
        self._patchers = patchers

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Spoke]]]:
        """See `ports.SpokeSource`."""
        return self._watch()

    @asynccontextmanager
    async def _watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        async with self._source.watch() as answers:
            try:
                yield self._noted(answers)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._patchers.close()

    async def _noted(
        self, answers: AsyncIterator[Sequence[Spoke]]
    ) -> AsyncIterator[Sequence[Spoke]]:
        async for spokes in answers:
            await self._patchers.settle(spokes)
            yield spokes


def _differ(a: Spoke, b: Spoke) -> bool:
    return (a.fingerprint, a.namespaces, a.identity) != (b.fingerprint, b.namespaces, b.identity)
