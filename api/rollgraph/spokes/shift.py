"""Which spokes a worker watches: its share of them, each for as long as it holds the lease.

Each worker computes alone who should watch what (`core.assignment`), takes what is its own and
free, and gives back what is not. Where two of them reckon differently for a moment, the lease
decides.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import structlog

from rollgraph.core.assignment import assign
from rollgraph.core.errors import BrokerError
from rollgraph.ports import Handover, Leases, Spoke, SpokeSource, Standing
from rollgraph.spokes.supervisor import Outlet

# Seconds between two signs of life. A spoke that is given back is taken within so many.
BEAT = 1.0
# Seconds that a sign of life may be late. A worker whose event loop is busy for longer does not say
# that it lives: what it watches may be late by as much, and others are to have it.
LAG = 3.0
# Seconds after which whoever sees a free spoke takes it, though it should be another's: one whose
# kubeconfig, read at another moment, does not have it yet.
FREE_FOR = 6.0
# Seconds after a silence of the leases' store in which nothing is taken that was not held before:
# if it has lost all, whoever comes first would get everything.
FIRST_THEIRS = 2.5
# Seconds that the end has to tell others about it; after that the leases lapse.
FAREWELL = 1.0

_log = structlog.get_logger(__name__)


class Shift:
    """The spokes of a source that are one worker's: a `ports.SpokeSource` for its supervisor.

    While the store of the leases does not answer, what is watched is watched on: nobody else can
    take it then.

    Args:
        source: All spokes.
        leases: Who watches which.
        worker: The worker's name, never used twice: `name.suffix`.
        pins: The worker, by name without suffix, that an operator has chosen for a spoke.
        lag: Seconds that a sign of life may be late.

    Attributes:
        joined: Whether it has been a worker among the others yet.
        workers: How many workers lived when it looked last.
    """

    def __init__(
        self,
        source: SpokeSource,
        leases: Leases,
        worker: str,
        pins: Mapping[str, str] | None = None,
        lag: float = LAG,
    ) -> None:
        self.joined = False
        self.workers = 0
        self._source = source
        self._leases = leases
        self._worker = worker
        self._pins = pins or {}
        self._lag = lag
        self._spokes: dict[str, Spoke] = {}
        self._mine: set[str] = set()
        # Those that the supervisor has been told of, and has not closed since.
        self._open: set[str] = set()
        self._free_since: dict[str, float] = {}
        self._due = anyio.Event()
        self._changed = anyio.Event()
        self._away = False
        self._takes_from = 0.0

    @property
    def watched(self) -> Collection[str]:
        """The spokes that are the worker's now."""
        return sorted(self._mine)

    def has(self, cluster: str) -> bool:
        """Whether there still is a spoke of this name, whoever watches it."""
        return cluster in self._spokes

    def over(self, outlet: Outlet) -> Outlet:
        """The same outlet; once it is closed, the spoke's lease is given back."""

        @asynccontextmanager
        async def opened(cluster: str) -> AsyncIterator[Handover]:
            async with outlet(cluster) as projection:
                yield projection
            # Not in the end of everything, when `_leave` does.
            await self._give_back([cluster])
            self._open.discard(cluster)

        return opened

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """See `ports.SpokeSource`. At first none, then those that are the worker's."""
        async with self._source.watch() as answers:
            self._note(await anext(answers))
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._read, answers)
                    tasks.start_soon(self._keep)
                    yield self._answers()
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(FAREWELL, shield=True):
                    await self._leave()

    async def _answers(self) -> AsyncIterator[Sequence[Spoke]]:
        while True:
            self._changed = anyio.Event()
            answer = [spoke for name, spoke in self._spokes.items() if name in self._mine]
            self._open |= self._mine
            yield answer
            await self._changed.wait()

    async def _read(self, answers: AsyncIterator[Sequence[Spoke]]) -> None:
        async for spokes in answers:
            self._note(spokes)

    def _note(self, spokes: Sequence[Spoke]) -> None:
        self._spokes = {spoke.name: spoke for spoke in spokes}
        self._mine &= self._spokes.keys()
        self._changed.set()
        self._due.set()

    async def _keep(self) -> None:
        """Says that the worker lives and looks what is its own, until cancelled."""
        late = 0.0
        while True:
            if late > self._lag:
                _log.warning("worker_lags", seconds=round(late, 1))
            else:
                await self._try()
            due = anyio.current_time() + BEAT
            self._due = anyio.Event()
            with anyio.CancelScope(deadline=due):
                await self._due.wait()
            late = anyio.current_time() - due

    async def _try(self) -> None:
        try:
            await self._beat()
        except BrokerError as error:
            if not self._away:
                _log.warning("leases_away", error=str(error))
            self._away = True
        else:
            if self._away:
                _log.info("leases_back")
                self._takes_from = anyio.current_time() + FIRST_THEIRS
            self._away, self.joined = False, True

    async def _beat(self) -> None:
        workers = await self._leases.join(self._worker)
        self.workers = len(workers)
        spokes = set(self._spokes)
        found = await self._leases.hold(self._worker, spokes, self._mine & spokes)
        wanted = self._share(workers, found) & self._spokes.keys()
        kept = {name for name in self._mine & wanted if found[name].holder == self._worker}
        free = {"", self._worker}
        more = {name for name in wanted - self._mine - self._open if found[name].holder in free}
        if self._away or anyio.current_time() < self._takes_from:
            more = set()
        taken = await self._leases.hold(self._worker, more, more)
        kept |= {name for name, standing in taken.items() if standing.holder == self._worker}
        await self._settle(kept & self._spokes.keys(), len(workers))

    def _share(self, workers: Collection[str], found: Mapping[str, Standing]) -> set[str]:
        """The spokes that should be the worker's."""
        shares = assign(
            {name: standing.weight for name, standing in found.items()},
            workers,
            {name: standing.holder for name, standing in found.items()},
            self._pinned(workers),
        )
        mine = {name for name, worker in shares.items() if worker == self._worker}
        return mine | self._left_free(found)

    def _pinned(self, workers: Collection[str]) -> dict[str, str]:
        ids = {worker.rpartition(".")[0]: worker for worker in workers}
        return {spoke: ids[name] for spoke, name in self._pins.items() if name in ids}

    def _left_free(self, found: Mapping[str, Standing]) -> set[str]:
        """Those that have been nobody's for so long that whoever should have them cannot."""
        now = anyio.current_time()
        self._free_since = {
            name: self._free_since.get(name, now)
            for name, standing in found.items()
            if not standing.holder
        }
        return {name for name, since in self._free_since.items() if now - since > FREE_FOR}

    async def _settle(self, mine: set[str], workers: int) -> None:
        """Makes these the worker's."""
        if mine == self._mine:
            return
        ended = self._mine - mine
        self._mine = mine
        self._changed.set()
        all_ = len(self._spokes)
        _log.info("spokes_shared", watched=sorted(mine), all=all_, workers=workers)
        # Of the others the supervisor closes the outlets first.
        await self._give_back(ended - self._open)

    async def _give_back(self, spokes: Collection[str]) -> None:
        try:
            await self._leases.release(self._worker, spokes)
        except BrokerError as error:
            _log.warning("leases_not_given_back", clusters=sorted(spokes), error=str(error))

    async def _leave(self) -> None:
        try:
            await self._leases.leave(self._worker)
            await self._leases.release(self._worker, self._mine | self._open)
        except BrokerError as error:
            _log.warning("leases_not_given_back", clusters=self.watched, error=str(error))
