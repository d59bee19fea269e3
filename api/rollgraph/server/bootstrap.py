"""From settings to everything that runs.

The parts are put together by modules of their own: `clusters` says which clusters there are,
`sharing` what is shared with other processes, `watching` what watches, `people` who asks and what
acts for them, `answering` what answers.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio

from rollgraph.access.renewal import Renewal
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import Decisions, FollowedFeeds, Operations
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.ports import SpokeSource, Tracing
from rollgraph.server import metering
from rollgraph.server.answering import answering
from rollgraph.server.clusters import Clusters
from rollgraph.server.people import people
from rollgraph.server.published import Published
from rollgraph.server.services import Services
from rollgraph.server.settings import Settings
from rollgraph.server.sharing import Role, Shared, alone
from rollgraph.server.watching import Counted, watching, worker
from rollgraph.server.working import Working


def services(
    settings: Settings,
    spokes: SpokeSource,
    argocd: ArgoCd | None = None,
    shared: Shared | None = None,
    role: Role = Role.SERVE,
    tracing: Tracing | None = None,
) -> Services:
    """Puts everything together.

    Args:
        settings: What the operator set.
        spokes: Where the spokes come from.
        argocd: The Argo CD that is taken over, if one is.
        shared: What it shares with other processes; nothing by default.
        role: Whether it watches, too.
        tracing: Follows work; by default nobody does.
    """
    clock, metrics, tracing = SystemClock(), Metrics(), tracing or Tracing()
    shared = shared or alone(clock)
    mirror = MemoryMirror(clock)
    operations, feeds = Operations(metrics), FollowedFeeds(metrics, clock)
    who = people(
        settings,
        spokes,
        mirror,
        shared,
        clock,
        argocd=argocd,
        observer=Decisions(metrics),
        tracing=tracing,
    )
    fanout = FanOut(who.hands.projection, mirror, observer=feeds)
    answers = answering(
        settings,
        who,
        mirror,
        fanout,
        shared,
        clock,
        metrics=metrics,
        operations=operations,
        tracing=tracing,
    )
    counted = Counted(metrics, tracing)
    watched = watching(role, settings.workers, who.hands.spokes, shared, mirror, clock, counted)
    follower = Follower(shared.broker, fanout, watched.exists, feeds, tracing)
    who.audit.tell(metering.acted(operations))
    metering.process(metrics, role)
    metering.model(metrics, mirror, clock, timedelta(seconds=settings.spokes.stale_after))
    metering.following(metrics, follower, fanout, feeds)
    metering.callers(metrics, who.access, who.logins.ages)
    metering.announcing(metrics, who.announcer)
    return Services(
        settings=settings,
        mirror=mirror,
        endpoint=answers.endpoint,
        watch=_together(
            watched.run,
            follower.run,
            *shared.beside,
            *([argocd.run] if argocd is not None else []),
            *([Renewal(who.access, fanout.nudge).run] if who.access is not None else []),
            *([answers.trusted.run] if answers.trusted is not None else []),
        ),
        graphiql=answers.graphiql,
        published=Published(who.logins.identify, hidden=not settings.limits.introspection),
        behind=argocd.behind if argocd is not None else None,
        access=who.access,
        trusted=answers.trusted,
        logins=who.logins,
        announce=who.announcer.run,
        drain=answers.means.drain,
        metrics=metrics,
        tracing=tracing,
    )


def working(
    settings: Settings, clusters: Clusters, shared: Shared, tracing: Tracing | None = None
) -> Working:
    """What a process is made of that only watches."""
    assert shared.leases is not None, "a worker shares Redis with others"
    clock = SystemClock()
    metrics = Metrics()
    metering.process(metrics, Role.WORKER)
    run, shift = worker(
        settings.workers,
        clusters.spokes,
        shared.broker,
        shared.leases,
        clock,
        Counted(metrics, tracing or Tracing()),
    )
    argocd = clusters.argocd
    beside = [argocd.run] if argocd is not None else []
    return Working(shift, _together(run, *beside), metrics, settings.http.stuck_after)


def _together(*parts: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Runs all parts; none ends by itself, and if one does or fails, so do the others."""

    async def run() -> None:
        async with anyio.create_task_group() as tasks:

            async def to_the_end(part: Callable[[], Awaitable[None]]) -> None:
                await part()
                tasks.cancel_scope.cancel()

            for part in parts:
                tasks.start_soon(to_the_end, part)

    return run
