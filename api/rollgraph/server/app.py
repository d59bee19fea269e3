"""The Starlette application: what is served where, and what runs beside it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Lifespan

from rollgraph.server.bootstrap import Services
from rollgraph.server.failures import on_http_error
from rollgraph.server.guard import LoopbackGuard
from rollgraph.server.health import Readiness, State, livez, readyz
from rollgraph.server.journal import Journal
from rollgraph.server.settings import AuthMode
from rollgraph.server.watching import until_death


def create_app(
    services: Services, known: Sequence[str], *, on_death: Callable[[Exception], None]
) -> Starlette:
    """Makes the application.

    Args:
        services: What it serves.
        known: The clusters' names at the start, for which readiness waits.
        on_death: Called when watching has ended by itself. Whoever runs the application must stop
            it then: an application that does not watch any more answers from an ever older memory.
    """
    settings = services.settings
    middleware = [Middleware(Journal)]
    if settings.auth.mode is AuthMode.NONE:
        middleware.append(Middleware(LoopbackGuard))
    routes: list[BaseRoute] = [
        Route("/graphql", services.endpoint),
        WebSocketRoute("/graphql", services.endpoint),
        Route("/livez", livez),
        Route("/readyz", readyz),
    ]
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
        lifespan=_lifespan(services, known, on_death),
    )


def _lifespan(
    services: Services, known: Sequence[str], on_death: Callable[[Exception], None]
) -> Lifespan[Starlette]:
    """A lifespan during which the fleet is watched."""
    watch = until_death(services.watch, on_death)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with anyio.create_task_group() as tasks:
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
