"""The process of a worker: it watches, and answers nothing but how it fares."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollgraph.server.health import livez
from rollgraph.server.watching import until_death
from rollgraph.spokes.shift import Shift


@dataclass(frozen=True, slots=True)
class Working:
    """What a worker is made of.

    Attributes:
        shift: Which spokes are its own.
        watch: Watches them until cancelled.
    """

    shift: Shift
    watch: Callable[[], Awaitable[None]]


def create_worker_app(working: Working, *, on_death: Callable[[Exception], None]) -> Starlette:
    """Makes the application.

    Args:
        working: What the worker is made of.
        on_death: Called when watching has ended by itself; see `app.create_app`.
    """
    shift = working.shift

    async def readyz(_: Request) -> Response:
        """200 once it is a worker among the others; the body says what it watches."""
        status = "ready" if shift.joined else "waiting"
        body = orjson.dumps({"status": status, "watched": shift.watched})
        code = 200 if shift.joined else 503
        return Response(body, status_code=code, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_death(working.watch, on_death))
            yield
            tasks.cancel_scope.cancel()

    routes = [Route("/livez", livez), Route("/readyz", readyz)]
    return Starlette(routes=routes, lifespan=lifespan)
