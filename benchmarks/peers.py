"""Servers to measure ours against: nothing kept, and nothing to do at all.

python benchmarks/peers.py PORT plain KUBECONFIG
python benchmarks/peers.py PORT bytes SIZE
"""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollgraph.adapters.clock import SystemClock
from rollgraph.schema.context import Context
from rollgraph.schema.schema import build_schema
from rollgraph.server import bootstrap, clusters
from rollgraph.server.app import create_app
from rollgraph.server.graphql import Endpoint
from rollgraph.server.settings import Http, Settings, Spokes


async def serve_plain(port: int, kubeconfig: str) -> None:
    """Our server, whose endpoint keeps nothing."""
    settings = Settings(http=Http(port=port), spokes=Spokes(kubeconfig=(Path(kubeconfig),)))
    spokes = clusters.source(settings.spokes, {})
    services = bootstrap.services(settings, spokes)
    clock, patience = SystemClock(), timedelta(seconds=10)
    mirror = services.mirror
    endpoint = Endpoint(
        build_schema(), lambda name, _: Context(mirror, clock.now(), patience, name)
    )
    names = await clusters.spoke_names(spokes)
    app = create_app(replace(services, endpoint=endpoint), names, on_death=sys.exit)
    await run(app, port)


async def serve_bytes(port: int, size: int) -> None:
    """A server that has only to send."""
    body = b"x" * size

    async def send(_: Request) -> Response:
        return Response(body, media_type="application/json")

    await run(Starlette(routes=[Route("/", send, methods=["GET", "POST"])]), port)


async def run(app: Starlette, port: int) -> None:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, log_level="error")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    serve = {"plain": serve_plain, "bytes": serve_bytes}[sys.argv[2]]
    argument = sys.argv[3] if sys.argv[2] == "plain" else int(sys.argv[3])
    anyio.run(serve, int(sys.argv[1]), argument, backend_options={"use_uvloop": True})
