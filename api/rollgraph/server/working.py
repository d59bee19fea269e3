"""The process of a worker: it watches, and answers nothing but how it fares."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import LoopLag as CountedLag
from rollgraph.server.exposition import Doors, route
from rollgraph.server.health import Life
from rollgraph.server.looplag import LoopLag
from rollgraph.server.watching import until_death
from rollgraph.spokes.shift import Shift


@dataclass(frozen=True, slots=True)
class Working:
    """What a worker is made of.

    Attributes:
        shift: Which spokes are its own.
        watch: Watches them until cancelled.
        metrics: What is counted.
        stuck_after: Seconds by which the event loop may be late.
    """

    shift: Shift
    watch: Callable[[], Awaitable[None]]
    metrics: Metrics
    stuck_after: float


def create_worker_app(
    working: Working,
    *,
    on_death: Callable[[Exception], None],
    metrics_ports: Collection[int] = (),
) -> Starlette:
    """Makes the application.

    Args:
        working: What the worker is made of.
        on_death: Called when watching has ended by itself; see `app.create_app`.
        metrics_ports: Ports that are for the metrics alone.
    """
    shift = working.shift
    lag = LoopLag(CountedLag(working.metrics).late)

    async def readyz(_: Request) -> Response:
        """200 once it is a worker among the others; the body says what it watches."""
        status = "ready" if shift.joined else "waiting"
        body = orjson.dumps({"status": status, "watched": shift.watched})
        code = 200 if shift.joined else 503
        return Response(body, status_code=code, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lag.run)
            tasks.start_soon(until_death(working.watch, on_death))
            yield
            tasks.cancel_scope.cancel()

    life = Life(lag, working.stuck_after)
    return Starlette(
        routes=[*life.routes(), Route("/readyz", readyz), route(working.metrics)],
        middleware=[Middleware(Doors, metrics_ports)],
        lifespan=lifespan,
    )
