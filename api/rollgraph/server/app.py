"""The Starlette application: what is served where, and what runs beside it."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Lifespan

from rollgraph.adapters.prometheus.observers import LoopLag as CountedLag
from rollgraph.server.exposition import Doors, route
from rollgraph.server.failures import on_http_error
from rollgraph.server.guard import LoopbackGuard
from rollgraph.server.health import Life, Readiness, State, readyz
from rollgraph.server.journal import Journal
from rollgraph.server.looplag import LoopLag
from rollgraph.server.services import Services
from rollgraph.server.settings import AuthMode
from rollgraph.server.watching import until_death


def create_app(
    services: Services,
    known: Sequence[str],
    *,
    on_death: Callable[[Exception], None],
    metrics_ports: Collection[int] = (),
) -> Starlette:
    """Makes the application.

    Args:
        services: What it serves.
        known: The clusters' names at the start, for which readiness waits.
        on_death: Called when watching has ended by itself. Whoever runs the application must stop
            it then: an application that does not watch any more answers from an ever older memory.
        metrics_ports: Ports that are for the metrics alone.
    """
    settings = services.settings
    anybody = settings.auth.mode is AuthMode.NONE
    lag = LoopLag(CountedLag(services.metrics).late)
    middleware = [Middleware(Journal, services.tracing, join=settings.http.join_traces)]
    if anybody:
        middleware.append(Middleware(LoopbackGuard))
    middleware.append(Middleware(Doors, metrics_ports))
    routes: list[BaseRoute] = [
        Route("/graphql", services.endpoint),
        WebSocketRoute("/graphql", services.endpoint),
        *Life(lag, settings.http.stuck_after).routes(),
        Route("/readyz", readyz),
    ]
    # Nobody is asked who they are there, so where people log in it needs a port of its own.
    if anybody or metrics_ports:
        routes.append(route(services.metrics))
    if services.logins is not None:
        routes += services.logins.routes
    if services.published is not None:
        routes += services.published.routes()
    if services.graphiql is not None:
        routes.append(services.graphiql.route())
    return Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={HTTPException: on_http_error},
        lifespan=_lifespan(services, known, lag, on_death),
    )


def _lifespan(
    services: Services,
    known: Sequence[str],
    lag: LoopLag,
    on_death: Callable[[Exception], None],
) -> Lifespan[Starlette]:
    """A lifespan during which the fleet is watched."""
    watch = until_death(services.watch, on_death)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lag.run)
            tasks.start_soon(watch)
            if services.access is not None:
                tasks.start_soon(services.access.run)
            for run in services.logins.beside if services.logins is not None else ():
                tasks.start_soon(run)
            async with anyio.create_task_group() as last_words:
                last_words.start_soon(services.announce)
                yield {"readiness": _readiness(services, known)}
                # Before the connections that they go over are closed.
                last_words.cancel_scope.cancel()
            tasks.cancel_scope.cancel()

    return lifespan


def _readiness(services: Services, known: Sequence[str]) -> Readiness:
    access = services.access
    broken = None if access is None else lambda: bool(access.problem)
    within = services.settings.http.ready_within
    return Readiness(services.mirror, known, within, services.behind, broken)
