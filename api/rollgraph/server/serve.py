"""The process: from start to end, and what its exit status is."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

import anyio
import structlog
import uvicorn
from starlette.applications import Starlette

from rollgraph.adapters.clock import SystemClock
from rollgraph.ports import Tracing
from rollgraph.server import (
    answering,
    binding,
    bootstrap,
    garbage,
    logging,
    people,
    sharing,
    tracing,
)
from rollgraph.server.app import create_app
from rollgraph.server.auth import agreements, wiring
from rollgraph.server.auth.adoption import with_logins
from rollgraph.server.clusters import Clusters, find
from rollgraph.server.exposition import PATH
from rollgraph.server.settings import AuthMode, Settings
from rollgraph.server.sharing import Role
from rollgraph.server.working import create_worker_app

_log = structlog.get_logger(__name__)

OK = 0
FAILED = 1


class Server(uvicorn.Server):
    """uvicorn's, which ends by itself after SIGTERM and SIGINT.

    Args:
        config: As uvicorn has it.
        announce: Called when it can be asked, and can be told to stop.
        drain: Ends what would go on for ever, within some seconds.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        drain: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the application, then accepts connections."""
        await super().startup(sockets)
        garbage.settle()
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams, one after the other, then waits for requests: both within the grace.

        uvicorn's own would end all WebSockets at one moment, and wait for streams of events until
        it cuts them.
        """
        for server in self.servers:
            server.close()
        grace, begun = self.config.timeout_graceful_shutdown or 0, anyio.current_time()
        await self._drain(grace / 2)
        left = max(0.0, grace - (anyio.current_time() - begun))
        self.config.timeout_graceful_shutdown = left  # type: ignore[assignment]
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops at a signal.

        uvicorn's own raises the signal again at the end, so that a stop on request looks like a
        crash: status 143 instead of 0.
        """
        self._loop = asyncio.get_running_loop()
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to stop; a second SIGINT does not wait for running requests."""
        # Not from here: a signal may come amid a line, and writing another one within would raise.
        self._loop.call_soon_threadsafe(_stopping, signal.Signals(sig).name)
        super().handle_exit(sig, frame)


def run(settings: Settings, role: Role = Role.SERVE) -> int:
    """Serves until told to stop; the process's exit status.

    Raises `ConfigError`, `binding.PortTakenError` and `BrokerError` before anything is served.
    """
    logging.configure(settings.log, settings.audit.file)
    with tracing.opened(os.environ, role) as followed:
        serve = partial(_work if role is Role.WORKER else partial(_serve, role=role), followed)
        return anyio.run(serve, settings, backend_options={"use_uvloop": os.name != "nt"})


def check(settings: Settings) -> Sequence[str]:
    """The names of the clusters that `run` would watch; raises `ConfigError` as it does."""
    logging.configure(settings.log, settings.audit.file)
    binding.addresses(settings)
    _, clusters = anyio.run(checked, settings)
    return clusters.names


async def checked(settings: Settings) -> tuple[Settings, Clusters]:
    """What `run` would begin with; raises `ConfigError` for all that would keep it from that."""
    settings, clusters = await _prepared(settings)
    access = people.access(settings, clusters.argocd)
    if access is not None:
        await access.load()
    trusted = answering.trusted(settings)
    if trusted is not None:
        await trusted.load()
    return settings, clusters


async def _prepared(settings: Settings) -> tuple[Settings, Clusters]:
    """All that can be wrong before anything is served; the settings as they are then."""
    if not settings.argocd.namespace:  # which might say who vouches for people
        wiring.check(settings)
    clusters = await find(settings, os.environ)
    settings = await with_logins(settings, clusters.argocd)
    wiring.check(settings)
    return settings, clusters


async def _serve(followed: Tracing, settings: Settings, role: Role) -> int:
    addresses = binding.addresses(settings)
    settings, clusters = await _prepared(settings)
    names = clusters.names
    async with sharing.opened(settings, role, SystemClock()) as shared:
        sockets = binding.listen(addresses, settings.http.port)
        services = bootstrap.services(
            settings, clusters.spokes, clusters.argocd, shared, role, followed
        )
        if services.access is not None:
            await services.access.load()
        if services.trusted is not None:
            await services.trusted.load()
        announce = partial(_announce, settings, sockets, names)
        metrics = _metrics(settings, addresses)
        app = partial(create_app, services, names, metrics_ports=_ports(metrics))
        return await _until_stopped(settings, app, announce, services.drain.run, sockets + metrics)


async def _work(followed: Tracing, settings: Settings) -> int:
    addresses = binding.addresses(settings, asked=False)
    clusters = await find(settings, os.environ)
    async with sharing.opened(settings, Role.WORKER, SystemClock()) as shared:
        sockets = binding.listen(addresses, settings.http.port)
        working = bootstrap.working(settings, clusters, shared, followed)
        ready = [f"{binding.url(bound)}/readyz" for bound in sockets]
        announce = partial(_log.info, "working", ready=ready, clusters=len(clusters.names))
        metrics = _metrics(settings, addresses)
        app = partial(create_worker_app, working, metrics_ports=_ports(metrics))
        return await _until_stopped(settings, app, announce, _nothing_to_drain, sockets + metrics)


def _metrics(settings: Settings, addresses: list[str]) -> list[socket.socket]:
    """What listens for whoever asks for metrics alone; nothing where they have no such port."""
    if settings.metrics.port is None:
        return []
    sockets = binding.listen(addresses, settings.metrics.port, "metrics.port")
    _log.info("metrics", at=[f"{binding.url(bound)}{PATH}" for bound in sockets])
    return sockets


def _ports(sockets: Sequence[socket.socket]) -> set[int]:
    return {bound.getsockname()[1] for bound in sockets}


async def _until_stopped(
    settings: Settings,
    app: Callable[..., Starlette],
    announce: Callable[[], None],
    drain: Callable[[float], Awaitable[None]],
    sockets: list[socket.socket],
) -> int:
    """Serves an application, which is made with what to call at its death."""
    deaths: list[Exception] = []

    def on_death(error: Exception) -> None:
        deaths.append(error)
        server.should_exit = True

    server = Server(_config(settings, app(on_death=on_death)), announce, drain)
    await server.serve(sockets)
    _log.info("stopped")
    return FAILED if deaths else OK


def _stopping(number: str) -> None:
    _log.info("stopping", signal=number)


async def _nothing_to_drain(_: float) -> None:
    """A worker has no streams."""


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # Ours are set up already, and the journal writes the access log.
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=settings.limits.body * 1024,
        # `streams.connection` pings in GraphQL's own words, which clients' code can hear, too.
        ws_ping_interval=None,
        # Compressing each event for each subscriber would take longer than all else.
        ws_per_message_deflate=False,
        server_header=False,
        # Nobody stands between us and the caller whose word on addresses could be believed.
        proxy_headers=False,
        timeout_graceful_shutdown=settings.http.shutdown_grace,  # type: ignore[arg-type]
    )


def _announce(settings: Settings, sockets: Sequence[socket.socket], names: Sequence[str]) -> None:
    _log.info(
        "serving",
        graphql=[f"{binding.url(bound)}/graphql" for bound in sockets],
        clusters=len(names),
        auth=_who(settings),
    )
    if not names:
        adopted = settings.argocd.namespace
        nothing = "Argo CD knows no clusters" if adopted else "the kubeconfig has no contexts"
        _log.warning("no_clusters", reason=f"{nothing}; it is read on changes")


def _who(settings: Settings) -> str:
    if settings.auth.mode is AuthMode.NONE:
        return "none (anyone on this machine may ask)"
    issuers = [provider.issuer for _, provider in agreements.providers(settings)]
    return f"{settings.auth.mode} ({', '.join(issuers) or 'service accounts'})"
