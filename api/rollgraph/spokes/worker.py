"""One spoke: reaches it, watches it, shows what it finds."""

import math
from random import Random

import anyio
import structlog

from rollgraph.core.errors import RollgraphError
from rollgraph.ports import Clock, Handover, ListWatch, ServerVersions, Spoke, WatchObserver
from rollgraph.spokes.backoff import Backoff
from rollgraph.spokes.baton import Baton
from rollgraph.spokes.connection import Connection
from rollgraph.spokes.gate import Gate
from rollgraph.spokes.heartbeat import PROBE_EVERY, Heartbeat, probe
from rollgraph.spokes.informer import Informer
from rollgraph.spokes.inventory import Inventory, Listener
from rollgraph.spokes.projector import Projector
from rollgraph.spokes.report import Report
from rollgraph.spokes.signal import Signal

_log = structlog.get_logger(__name__)


class Worker:
    """Watches one spoke until cancelled.

    Args:
        spoke: What to watch.
        projector: Shows its rollouts.
        report: Shows how it fares.
        handover: What the worker before has left, and the next is to find.
        gate: Where full lists queue.
        clock: The time of day.
        rng: Chance for waits.
        listener: Is told every change of every object, in order.
        observer: Hears how the watches fare.
    """

    def __init__(
        self,
        spoke: Spoke,
        projector: Projector,
        report: Report,
        handover: Handover,
        gate: Gate,
        clock: Clock,
        rng: Random,
        listener: Listener | None = None,
        observer: WatchObserver | None = None,
    ) -> None:
        self._spoke = spoke
        self._projector = projector
        self._report = report
        self._rng = rng
        self._connection = Connection(spoke)
        self._inventory = Inventory(listener)
        self._news = Signal()
        self._unreported = True
        self._showing = False
        self._doubted_at = 0.0
        self._informer = Informer(
            self._connection,
            self._inventory,
            spoke.namespaces,
            gate,
            clock,
            rng,
            self._tell,
            observer,
        )
        self._baton = Baton(spoke, handover, self._inventory, self._informer, projector)

    async def run(self) -> None:
        """Watches. Raises nothing that a spoke can cause."""
        with structlog.contextvars.bound_contextvars(cluster=self._spoke.name):
            self._report.publish(self._spoke)
            async with self._connection:
                await self._reach()
                await self._baton.take(self._current())
                await self._watch()

    async def _reach(self) -> None:
        """Returns once the API server has given any answer.

        Until then there is nothing to watch, and no place in the gate is taken.
        """
        description = Backoff(self._rng)
        while True:
            try:
                listwatch = await self._connection.get()
            except RollgraphError as error:
                self._doubt(error)
                await anyio.sleep(description.next())
                continue
            try:
                self._note(await probe(listwatch))
            except RollgraphError as error:
                self._doubt(error)
                await anyio.sleep(PROBE_EVERY * (0.8 + 0.4 * self._rng.random()))
            else:
                return

    async def _watch(self) -> None:
        heartbeat = Heartbeat(self._current, alive=self._alive, silent=self._silent)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heartbeat.run)
            tasks.start_soon(self._informer.run)
            tasks.start_soon(self._project)
            tasks.start_soon(self._keep_reporting)

    async def _project(self) -> None:
        await self._informer.synced()
        await self._projector.run(self._inventory, self._shown, self._baton.leave)

    def _shown(self) -> None:
        self._report.shown = self._showing = True
        self._tell()

    async def _keep_reporting(self) -> None:
        while True:
            self._unreported = False
            watches = self._informer.watches
            if self._report.doubt is not None and self._heard_since(self._doubted_at):
                self._report.confirm()
            self._report.publish(self._spoke, watches)
            ends = [watch.probation for watch in watches if watch.probation is not None]
            with anyio.CancelScope(deadline=min(ends, default=math.inf)):
                await self._news.until(lambda: self._unreported)

    def _current(self) -> ListWatch:
        current = self._connection.current
        assert current is not None, "opened before the first heartbeat, closed after the last"
        return current

    def _alive(self, versions: ServerVersions | None, silent_since: float | None) -> None:
        """The server answered.

        After a silence no stream is believed that was silent, too; the others go on.
        """
        self._note(versions)
        if self._informer.in_step:  # else their owners may be what does not come
            self._inventory.age()
        if self._showing:
            self._baton.leave()
        if silent_since is not None:
            _log.info("spoke_answers_again")
        self._informer.wake(silent_since)
        self._tell()

    def _silent(self, error: RollgraphError, asked: float) -> None:
        """The server did not answer: what its watches say is not believed any more.

        Unless one of them brought something after the question was asked.
        """
        if self._heard_since(asked):
            self._report.confirm()
        else:
            if self._report.doubt is None:
                _log.warning("spoke_silent", error=str(error))
            self._report.doubt, self._doubted_at = error, asked
        self._tell()

    def _heard_since(self, moment: float) -> bool:
        return any(watch.active_at > moment for watch in self._informer.watches)

    def _note(self, versions: ServerVersions | None) -> None:
        self._report.confirm()
        if versions is not None:
            self._report.versions = versions

    def _doubt(self, error: RollgraphError) -> None:
        _log.warning("spoke_not_reached", error=str(error), problem=type(error).__name__)
        self._report.doubt = error
        self._report.publish(self._spoke)

    def _tell(self) -> None:
        self._unreported = True
        self._news.notify()
