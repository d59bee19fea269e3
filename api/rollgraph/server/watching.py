"""What watches the clusters in a process, and where what it sees goes."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
import structlog

from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import PublishedFeeds, Watches
from rollgraph.feed.clearing import Clearing
from rollgraph.feed.publishing import Publishing
from rollgraph.ports import Broker, Clock, Leases, SpokeSource, Tracing
from rollgraph.server import metering, sharing
from rollgraph.server.settings import Workers
from rollgraph.server.sharing import Role, Shared
from rollgraph.server.watched import Watched
from rollgraph.spokes.rollcall import RollCall
from rollgraph.spokes.shift import Shift
from rollgraph.spokes.supervisor import Outlet, Supervisor

_log = structlog.get_logger(__name__)


class WatchingEndedError(Exception):
    """The supervisor returned, which it is never asked to do."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What watches.

    Attributes:
        run: Watches until cancelled.
        exists: Whether there is a spoke of a name though nobody tells of it.
    """

    run: Callable[[], Awaitable[None]]
    exists: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Counted:
    """Where what is done is counted, and followed."""

    metrics: Metrics
    tracing: Tracing

    def feeds(self) -> PublishedFeeds:
        """Who hears what is written to feeds; there is one of it."""
        return PublishedFeeds(self.metrics)


def watching(
    role: Role,
    settings: Workers,
    spokes: SpokeSource,
    shared: Shared,
    mirror: MemoryMirror,
    clock: Clock,
    counted: Counted,
) -> Watching:
    """What watches in a process that answers.

    Args:
        role: Whether it does so by itself.
        settings: Which share of the spokes is its own.
        spokes: All of them.
        shared: Where what it sees goes.
        mirror: What it answers from.
        clock: The time of day.
        counted: Where it is counted, and followed.
    """
    if shared.leases is None:
        publishing = Publishing(
            shared.broker, clock, observer=counted.feeds(), tracing=counted.tracing
        )
        return Watching(_supervisor(spokes, publishing, publishing, clock, counted).run)
    rollcall = RollCall(spokes, mirror, mirror, clock)
    if role is Role.GATEWAY:
        return Watching(rollcall.run, rollcall.has)
    run, _ = worker(settings, rollcall, shared.broker, shared.leases, clock, counted)
    return Watching(run, rollcall.has)


def worker(
    settings: Workers,
    spokes: SpokeSource,
    broker: Broker,
    leases: Leases,
    clock: Clock,
    counted: Counted,
) -> tuple[Callable[[], Awaitable[None]], Shift]:
    """Watches a share of the spokes until cancelled; and which that is."""
    shift, name = sharing.shift(settings, spokes, leases)
    publishing = Publishing(
        broker,
        clock,
        holder=name,
        kept=shift.has,
        observer=counted.feeds(),
        tracing=counted.tracing,
    )
    supervisor = _supervisor(shift, shift.over(publishing), publishing, clock, counted)
    metering.sharing(counted.metrics, shift)
    clearing = Clearing(broker, leases, lambda name: not shift.joined or shift.has(name))

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clearing.run)
            await supervisor.run()
            tasks.cancel_scope.cancel()

    return run, shift


def _supervisor(
    spokes: SpokeSource, outlet: Outlet, publishing: Publishing, clock: Clock, counted: Counted
) -> Supervisor:
    """Watches spokes, and is counted."""
    watched = Watched()
    metering.watching(counted.metrics, watched, publishing, clock)
    return Supervisor(
        spokes, watched.over(outlet), clock=clock, observer=Watches(counted.metrics).of
    )


def until_death(
    watch: Callable[[], Awaitable[None]], on_death: Callable[[Exception], None]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Watches; if that ends by itself, it is said, and the process ends, too."""

    async def run() -> None:
        try:
            await watch()
            raise WatchingEndedError("the supervisor returned")
        except Exception as error:  # noqa: BLE001 - whatever it is, the process must not go on
            _log.critical("watching_ended", exc_info=error)
            on_death(error)

    return run
