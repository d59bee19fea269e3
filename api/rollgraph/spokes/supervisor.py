"""Every spoke of the fleet, each on its own.

A spoke that is slow, dead, misdescribed or that makes our own code fail costs the others nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from random import Random
from typing import TypeAlias

import anyio
import structlog
from anyio.abc import TaskGroup

from rollgraph.core.errors import SpokeError
from rollgraph.ports import Clock, Handover, Projection, Spoke, SpokeSource, WatchObserver
from rollgraph.spokes.alone import Alone
from rollgraph.spokes.backoff import Backoff
from rollgraph.spokes.gate import SYNCS_AT_ONCE, Gate
from rollgraph.spokes.inventory import Listener
from rollgraph.spokes.projector import Projector
from rollgraph.spokes.report import Report
from rollgraph.spokes.worker import Worker

# Seconds over which the first connections are spread, per spoke and at most: 300 TLS handshakes at
# the same moment would starve the probes of those that are already watched.
SPREAD_PER_SPOKE = 0.02
SPREAD_AT_MOST = 5.0

# Opens where what is known of a spoke goes, given its name, for as long as the spoke is watched.
Outlet: TypeAlias = Callable[[str], AbstractAsyncContextManager[Handover]]

_log = structlog.get_logger(__name__)


def straight(projection: Projection) -> Outlet:
    """Puts what is known of every spoke into one model, at once."""
    return lambda _: nullcontext(Alone(projection))


class Supervisor:
    """Runs a worker for each spoke of a source.

    Args:
        source: Which spokes there are.
        outlet: Where what they hold goes.
        clock: The time of day.
        rng: Chance for waits and starts.
        syncs_at_once: How many full lists may be on their way at a time, over all spokes.
        listener: Is told every change of every object of every spoke, in order; given the spoke's
            name, it returns the listener of that spoke.
        observer: Makes who hears how the watches of a spoke fare, given its name.
    """

    def __init__(
        self,
        source: SpokeSource,
        outlet: Outlet,
        *,
        clock: Clock,
        rng: Random | None = None,
        syncs_at_once: int = SYNCS_AT_ONCE,
        listener: Callable[[str], Listener] | None = None,
        observer: Callable[[str], WatchObserver] = lambda _: WatchObserver(),
    ) -> None:
        self._source = source
        self._outlet = outlet
        self._clock = clock
        self._rng = rng if rng is not None else Random()
        self._gate = Gate(syncs_at_once)
        self._listener = listener
        self._observer = observer
        self._seats: dict[str, Seat] = {}

    async def run(self) -> None:
        """Watches the fleet until cancelled.

        Raises `ConfigError` at once if the source cannot be read at the start.
        """
        async with self._source.watch() as answers, anyio.create_task_group() as tasks:
            async for spokes in answers:
                self._settle(spokes, tasks)

    def _settle(self, spokes: Sequence[Spoke], tasks: TaskGroup) -> None:
        """Makes the spokes of the source those that are watched."""
        wanted = {spoke.name: spoke for spoke in spokes}
        for name, seat in self._seats.items():
            if name not in wanted:
                _log.info("spoke_removed", cluster=name)
                seat.offer(None)
        more = len(wanted.keys() - self._seats.keys())
        spread = min(SPREAD_AT_MOST, SPREAD_PER_SPOKE * (more - 1))
        for name, spoke in wanted.items():
            if name in self._seats:
                self._seats[name].offer(spoke)
                continue
            _log.info("spoke_added", cluster=name)
            self._seats[name] = Seat(spoke)
            tasks.start_soon(self._keep, self._seats[name], self._rng.random() * spread)

    async def _keep(self, seat: "Seat", delay: float) -> None:
        """Watches one spoke for as long as it is in the source."""
        name = seat.name
        async with self._outlet(name) as handover:
            report = Report(handover, self._clock)
            projector = Projector(name, handover)
            await anyio.sleep(delay)
            while seat.spoke is not None:
                with anyio.CancelScope() as seat.scope:
                    await self._work(seat.spoke, report, projector, handover)
            del self._seats[name]
            handover.drop_cluster(name)

    async def _work(
        self, spoke: Spoke, report: Report, projector: Projector, handover: Handover
    ) -> None:
        """Runs workers of one description of a spoke, one after the other."""
        backoff = Backoff(self._rng)
        listener = self._listener(spoke.name) if self._listener is not None else None
        while True:
            worker = Worker(
                spoke,
                projector,
                report,
                handover,
                self._gate,
                self._clock,
                self._rng,
                listener,
                self._observer(spoke.name),
            )
            try:
                await worker.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other spokes go on
                _log.exception("worker_failed", cluster=spoke.name)
                # Its text is for the log alone: it is not ours, and might hold a secret.
                report.doubt = SpokeError(f"watching failed: {_name(error)}, see the log")
                report.publish(spoke)
            await anyio.sleep(backoff.next())


class Seat:
    """A spoke's place in the fleet; it may be described anew while it is watched.

    Attributes:
        name: The spoke's name.
        spoke: The newest description; None once it was taken out of the source.
        scope: What is running by the description before.
    """

    def __init__(self, spoke: Spoke) -> None:
        self.name = spoke.name
        self.spoke: Spoke | None = spoke
        self.scope = anyio.CancelScope()

    def offer(self, spoke: Spoke | None) -> None:
        """Takes a newer description; what runs by an older one ends if they differ."""
        if spoke is None or self.spoke is None or _differ(self.spoke, spoke):
            self.scope.cancel()
        self.spoke = spoke


def _differ(a: Spoke, b: Spoke) -> bool:
    return (a.fingerprint, a.namespaces, a.labels) != (b.fingerprint, b.namespaces, b.labels)


def _name(error: BaseException) -> str:
    """What a person would call an error that passed through task groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
