"""The metrics as they are asked for, and on which port."""

from collections.abc import Collection
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rollgraph.adapters.prometheus import Metrics
from rollgraph.server.failures import failure

PATH = "/metrics"


def route(metrics: Metrics) -> Route:
    """Where the metrics are."""

    async def exposed(request: Request[Any]) -> Response:
        body, media_type = metrics.exposed(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    return Route(PATH, exposed)


class Doors:
    """Starlette's middleware that keeps a port for the metrics, and the metrics to that port.

    All ports lead to one application; which one a request came by, uvicorn tells.

    Args:
        app: All there is.
        ports: Those that are for the metrics; without any, whatever there is is behind all.
    """

    def __init__(self, app: ASGIApp, ports: Collection[int]) -> None:
        self._app = app
        self._ports = frozenset(ports)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or says that there is nothing."""
        if self._ports and scope["type"] in {"http", "websocket"}:
            _, port = scope.get("server") or ("", None)
            if (port in self._ports) is not (scope["path"] == PATH):
                answer = failure(HTTPConnection(scope), 404, "There is nothing here")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
