"""A gateway with a stream of numbers, for scripts that want it to break, expire and restart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import uvicorn
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from browser.gateway import Server
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.viewer import Viewer
from rollgraph.schema.context import LEEWAY
from rollgraph.server import binding
from rollgraph.server.auth import bearer
from rollgraph.server.streams.means import Rules
from unit.server.streams.ticking import CLOCK, Gateway

# Seconds that a token called "short" is good for.
SHORT = 0.5
# Seconds; so that whoever answers no ping is given up within two.
HEARTBEAT, PATIENCE = 0.5, 1.0
# Bytes. A longer message ends a WebSocket.
LONGEST = 64 * 1024


@contextmanager
def ticking() -> Iterator[str]:
    """A running one; gives its URL, without the scheme."""
    rules = Rules(init_timeout=0.5, heartbeat=HEARTBEAT, patience=PATIENCE)
    made = Gateway(identify=_identify, of_init=_of_init, rules=rules, guarded=True)

    async def restart(_: Request) -> Response:
        """Ends all streams, as a stop does, and goes on as another process would."""
        drain = made.means.drain
        await drain.run(0.1)
        drain.begun = False
        return Response()

    async def stop(_: Request) -> Response:
        """Stops, and does not end; or goes on."""
        made.means.drain.begun = not made.means.drain.begun
        return Response()

    for path, act in (("/restart", restart), ("/stop", stop)):
        made.app.router.routes.append(Route(path, act, methods=["POST"]))
    (bound,) = binding.listen(["127.0.0.1"], 0)
    config = uvicorn.Config(
        made.app,
        log_config=None,
        ws="websockets-sansio",
        ws_max_size=LONGEST,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), name="ticking")
    thread.start()
    try:
        assert server.up.wait(10)
        yield binding.url(bound).removeprefix("http://")
    finally:
        server.should_exit = True
        thread.join(10)


async def _identify(connection: HTTPConnection) -> Caller:
    return _known(bearer.of_header(connection.headers.getlist("authorization")))


async def _of_init(payload: object) -> Caller | None:
    token = bearer.of_init(payload)
    return None if token is None else _known(token)


def _known(token: str | None) -> Caller:
    match token:
        case "good":
            viewer = Viewer("anna")
        case "short":
            end = CLOCK.now() - LEEWAY + timedelta(seconds=SHORT)
            viewer = Viewer("anna", expires_at=end)
        case "unknowable":
            raise IdentityProviderError("the identity provider does not answer")
        case "odd":
            raise RuntimeError("a bug")
        case None:
            raise UnauthenticatedViewerError("log in first: there is neither a token nor a login")
        case _:
            raise UnauthenticatedViewerError("the token has expired")
    return replace(ANYBODY, rights=Everything(viewer))
