"""A whole worker on real sockets: whatever happens first, it ends up with what the server has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import anyio
import pytest
import yaml

from fakes.apiserver import Answer, FakeApiServer, cut, html, refusal, serving, silent, stream
from fakes.cluster import bookmark, line, status
from fakes.manifests import rollout, thing
from fakes.projection import RecordingProjection, until
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.refs import Kind
from rollgraph.spokes import backoff
from rollgraph.spokes.supervisor import Supervisor, straight

pytestmark = pytest.mark.looptime(False)  # real sockets


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits themselves are tested in virtual time."""
    monkeypatch.setattr(backoff.Backoff, "next", lambda *_, **__: 0.02)


@asynccontextmanager
async def supervised(folder: Path, *servers: FakeApiServer) -> AsyncIterator[RecordingProjection]:
    """Watches some servers, named `s0` and so on."""
    path = folder / "config"
    names = [f"s{number}" for number in range(len(servers))]
    clusters = [
        {"name": name, "cluster": {"server": server.url}}
        for name, server in zip(names, servers, strict=True)
    ]
    contexts = [{"name": name, "context": {"cluster": name}} for name in names]
    path.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts}))
    projection = RecordingProjection()
    source, outlet = KubeconfigSource(path), straight(projection)
    supervisor = Supervisor(source, outlet, clock=SystemClock(), rng=Random(1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield projection
        tasks.cancel_scope.cancel()


GONE = line("ADDED", rollout("gone"))
EXPIRED = line("ERROR", status(410, "Expired", "too old resource version"))
BIG = thing("big", 5, annotations={"note": "x" * (5 * 1024 * 1024)})


@pytest.mark.parametrize(
    "first",
    [
        [html(502)],
        [html(200)],
        [refusal(403, "Forbidden")],
        [refusal(429, **{"Retry-After": "0"})],
        [refusal(422, "Invalid")],
        [refusal(410, "Expired")],
        [stream(GONE, EXPIRED)],
        [stream()],
        [stream(GONE)],
        [stream(GONE, bookmark(3, end=True), EXPIRED)],
        [stream(GONE, bookmark(3, end=True), b"<html>\n")],
        [cut(GONE)],
        [stream(GONE, GONE[:40])],
        [refusal(500, "InternalError"), refusal(500, "InternalError")],
        [refusal(401, "Unauthorized")],
        [stream(line("ADDED", BIG))],
    ],
    ids=[
        "bad-gateway",
        "page",
        "forbidden",
        "busy",
        "no-watch-list",
        "expired",
        "expired-event",
        "closed-at-once",
        "closed-early",
        "compacted",
        "page-in-stream",
        "cut",
        "half-a-line",
        "internal-error",
        "unauthorized",
        "4-mib",
    ],
)
async def test_what_the_server_has_is_what_is_shown_in_the_end(
    tmp_path: Path, first: list[Answer]
) -> None:
    async with serving() as server:
        server.cluster.put(Kind.ROLLOUT, rollout("web"))
        server.cluster.compact()
        server.cluster.put(Kind.ROLLOUT, rollout("api"))
        server.next("rollouts", *first)
        async with supervised(tmp_path, server) as shown:
            await until(lambda: shown.names == {"s0/default/web", "s0/default/api"})
            await until(lambda: shown.status("s0") is ConnectionStatus.CONNECTED)
            server.cluster.delete(Kind.ROLLOUT, "web")
            await until(lambda: shown.names == {"s0/default/api"})


async def test_a_silent_spoke_costs_the_others_nothing(tmp_path: Path) -> None:
    async with serving() as mute_one, serving() as good:
        good.cluster.put(Kind.ROLLOUT, rollout("web"))
        mute_one.next("rollouts", silent(GONE))
        mute_one.next("version", html(502))
        async with supervised(tmp_path, mute_one, good) as shown:
            await until(lambda: shown.status("s1") is ConnectionStatus.CONNECTED)
            assert shown.names == {"s1/default/web"}
            assert shown.status("s0") is not ConnectionStatus.CONNECTED


async def test_a_server_that_is_killed_and_started_again_is_gone_on_with(tmp_path: Path) -> None:
    async with serving() as first:
        cluster, port = first.cluster, int(first.url.rpartition(":")[2])
        cluster.put(Kind.ROLLOUT, rollout("web"))
        async with supervised(tmp_path, first) as shown:
            await until(lambda: shown.status("s0") is ConnectionStatus.CONNECTED)
            await first.kill()
            await until(lambda: shown.status("s0") is ConnectionStatus.DISCONNECTED)
            assert "refused" in shown.clusters["s0"].error
            cluster.put(Kind.ROLLOUT, rollout("api"))
            async with serving(cluster, port=port) as second:
                await until(lambda: "s0/default/api" in shown.names)
                await until(lambda: shown.status("s0") is ConnectionStatus.CONNECTED)
                asked = second.asked("rollouts")
                assert all(query["watch"] == "true" for query in asked)
                assert not any("sendInitialEvents" in query for query in asked)
