"""Whether the process lives, and whether its answers are worth asking for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollgraph.ports import Mirror
from rollgraph.server.looplag import LoopLag


class Readiness:
    """Ready once each cluster that was known at the start is read, or known to be unreadable.

    Once ready, always ready: a cluster that is lost later shows in its own state, and must not take
    the answers about all others away. Its time begins when it is made.

    Args:
        mirror: What has been read.
        known: The clusters' names at the start.
        within: Seconds after which a cluster without any news is no longer waited for.
        behind: What of Argo CD is not kept up at present; None if there is no Argo CD.
        policy_broken: Whether the newest policy was not taken; None if there is no policy.
    """

    def __init__(
        self,
        mirror: Mirror,
        known: Sequence[str],
        within: float,
        behind: Callable[[], Sequence[str]] | None = None,
        policy_broken: Callable[[], bool] | None = None,
    ) -> None:
        self.behind = behind
        self.policy_broken = policy_broken
        self._mirror = mirror
        self._known = tuple(known)
        self._deadline = anyio.current_time() + within
        self._ready = False

    def awaited(self) -> list[str]:
        """The clusters without which it is not ready yet."""
        if not self._ready:
            awaited = list(self._awaited())
            self._ready = not awaited or anyio.current_time() >= self._deadline
        return [] if self._ready else awaited

    def unsynced(self) -> list[dict[str, str | None]]:
        """Every cluster that has not been read, with the state that explains it."""
        return [
            {"name": view.name, "status": view.status, "problem": view.problem}
            for view in self._mirror.clusters()
            if not view.synced
        ]

    def _awaited(self) -> Iterator[str]:
        for name in self._known:
            view = self._mirror.cluster(name)
            if view is None or not (view.synced or view.problem):
                yield name


class State(TypedDict):
    """What the application's lifespan gives to its requests."""

    readiness: Readiness


async def readyz(request: Request[State]) -> Response:
    """200 when ready, else 503; the body says which clusters are missing either way."""
    readiness = request.state["readiness"]
    awaited = readiness.awaited()
    body: dict[str, object] = {
        "status": "waiting" if awaited else "ready",
        "waitingFor": awaited,
        "notSynced": readiness.unsynced(),
    }
    if readiness.behind is not None:
        # Never a reason not to be ready: the last that was known is in force.
        body["argocdNotWatched"] = list(readiness.behind())
    if readiness.policy_broken is not None:
        # Nor is this. What is wrong is in the log: a policy has names, and anyone may ask here.
        body["policyBroken"] = readiness.policy_broken()
    return _json(503 if awaited else 200, body)


class Life:
    """Whether the process itself fares well, whatever becomes of clusters and of Redis.

    Args:
        lag: How late the event loop is.
        stuck_after: Seconds by which it may be.
    """

    def __init__(self, lag: LoopLag, stuck_after: float) -> None:
        self._lag = lag
        self._stuck_after = stuck_after

    def routes(self) -> list[Route]:
        """What is served for it."""
        return [Route("/livez", self.livez), Route("/startupz", self.startupz)]

    async def livez(self, _: Request[Any]) -> Response:
        """200 as long as the event loop turns. A restart would not bring a lost cluster back.

        A loop that does not turn gives no answer at all; one that did not turn for too long is told
        in the first answers after.
        """
        late = self._lag.worst
        if late > self._stuck_after:
            return _json(503, {"status": "stuck", "seconds": round(late, 1)})
        return _json(200, {"status": "alive"})

    async def startupz(self, _: Request[Any]) -> Response:
        """200 once the event loop has turned to what runs beside the answers."""
        started = self._lag.turns > 0
        return _json(200 if started else 503, {"status": "started" if started else "starting"})


def _json(status: int, body: Mapping[str, object]) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
