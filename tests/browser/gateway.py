"""Rollgraph's whole application over a fleet of samples, served on loopback from a thread."""

import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import anyio
import uvicorn

import samples
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.belongings import Belongings
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView, build_view
from rollgraph.ports import Spoke
from rollgraph.server import binding, bootstrap
from rollgraph.server.app import create_app
from rollgraph.server.settings import Settings

KINDS = (Kind.ROLLOUT, Kind.REPLICA_SET, Kind.POD, Kind.ANALYSIS_RUN, Kind.EXPERIMENT)


class NoSpokes:
    """A `ports.SpokeSource` without any: the samples are put into the mirror by hand."""

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """Of the port."""

        async def none() -> AsyncIterator[Sequence[Spoke]]:
            yield ()
            await anyio.sleep_forever()

        yield none()


class Server(uvicorn.Server):
    """uvicorn's, for a thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: object = None) -> None:
        """Starts, and says so."""
        await super().startup(sockets)  # type: ignore[arg-type]
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the main thread's."""
        yield


@contextmanager
def gateway(settings: Settings, port: int = 0) -> Iterator[str]:
    """A running gateway; gives its URL."""
    services = bootstrap.services(settings, NoSpokes())
    assert isinstance(services.mirror, MemoryMirror)
    _fill(services.mirror)
    deaths: list[Exception] = []
    app = create_app(services, (), on_death=deaths.append)
    (bound,) = binding.listen(["127.0.0.1"], port)
    config = uvicorn.Config(
        app, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), name="gateway")
    thread.start()
    try:
        assert server.up.wait(10)
        yield binding.url(bound)
    finally:
        server.should_exit = True
        thread.join(10)
    assert deaths == []


def _fill(mirror: MemoryMirror) -> None:
    now = datetime.now(UTC)
    watches = tuple(
        WatchView(kind, "", ConnectionStatus.CONNECTED, now, objects=7, synced=True)
        for kind in KINDS
    )
    for name in ("prod-eu", "prod-us"):
        mirror.put_cluster(
            ClusterView(
                name,
                ConnectionStatus.CONNECTED,
                now - timedelta(hours=1),
                watches=watches,
                confirmed_at=now,
            )
        )
    for view in _views():
        mirror.put_rollout(view)


def _views() -> Iterator[RolloutView]:
    for sample in ("canary-at-20-percent", "blue-green-preview"):
        rollout, belongings = samples.family(sample)
        yield build_view("prod-eu", rollout, belongings)
    for sample in ("canary-aborted", "canary-routed-at-30", "workload-ref", "before-1-0"):
        yield build_view("prod-us", samples.rollout(sample), Belongings())
