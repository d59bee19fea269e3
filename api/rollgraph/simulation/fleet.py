"""Simulated clusters on loopback, each with a port of its own, and a kubeconfig of them."""

import gc
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

import anyio
import msgspec
import uvicorn

from rollgraph.simulation import company
from rollgraph.simulation.apiserver.app import ApiServer
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.engine import Engine
from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.node import AT_ONCE, Pace
from rollgraph.simulation.story import Story

LOOPBACK = "127.0.0.1"
# Seconds that the servers get to end: they look every tenth of one whether they are to.
STOP_WITHIN = 2.0
# How much of the story has happened before anybody looks: enough for something to be on its way
# in a small fleet.
PROLOGUE = timedelta(minutes=3)
# Which controller the clusters claim to run. Its objects are as that version writes them.
CONTROLLER_IMAGE = "quay.io/argoproj/argo-rollouts:v1.10.1-simulated"


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        rate: New versions a minute, over all clusters.
    """

    spokes: int = 3
    rollouts: int = 12
    rate: float = 6.0
    seed: int = 1


@dataclass(frozen=True)
class Spoke:
    """A running cluster.

    Attributes:
        name: What its API server is called where it is watched from: a host's name or address.
        token: May do everything.
        viewer: May read.
    """

    cluster: Cluster
    labels: dict[str, str]
    socket: socket.socket
    name: str
    token: str = field(repr=False)
    viewer: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where its API server is."""
        return f"http://{self.name}:{self.socket.getsockname()[1]}"


class _Server(uvicorn.Server):
    """uvicorn's, which leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def prepare(plan: Plan, until: datetime) -> list[tuple[Cluster, dict[str, str]]]:
    """Clusters that have lived up to a time; each with its labels."""
    # Nothing of it is garbage: looking for some would take a third of the time, now and ever after.
    gc.disable()
    try:
        return [_prepared(plan, index, until) for index in range(plan.spokes)]
    finally:
        gc.freeze()
        gc.enable()


def _prepared(plan: Plan, index: int, until: datetime) -> tuple[Cluster, dict[str, str]]:
    name, labels = company.cluster(index)
    nodes = tuple(f"{name}-node-{number}" for number in range(1, 4))
    cluster = Cluster(name, plan.seed, pace=replace(AT_ONCE, nodes=nodes))
    apps = list(company.apps(plan.rollouts, index, plan.spokes))
    start = until - PROLOGUE
    _install_controller(cluster, start)
    Story(cluster, apps, plan.rate / plan.spokes).begin(start)
    # What is there when the story begins runs already: that takes half the time to find out.
    cluster.act(start)
    cluster.node.pace = Pace(nodes=nodes)
    _live(cluster, start, until)
    return cluster, labels


def _live(cluster: Cluster, start: datetime, until: datetime) -> None:
    due: datetime | None = start
    while due is not None and due <= until:
        due = cluster.act(due)


def _install_controller(cluster: Cluster, when: datetime) -> None:
    labels = {"app.kubernetes.io/name": "argo-rollouts"}
    cluster.store.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "argo-rollouts", "namespace": "argo-rollouts", "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "controller", "image": CONTROLLER_IMAGE}]},
                },
            },
        },
        when,
        "helm",
    )


@asynccontextmanager
async def serving(
    clusters: Sequence[tuple[Cluster, dict[str, str]]],
    host: str = LOOPBACK,
    name: str = LOOPBACK,
) -> AsyncIterator[Sequence[Spoke]]:
    """Runs clusters until the context is left; each can be asked when it is entered.

    Args:
        host: The address to listen on. Whoever reaches it needs a token all the same.
        name: What that is called where they are watched from.
    """
    spokes = [
        Spoke(
            cluster,
            labels,
            socket.create_server((host, 0), backlog=2048),
            name,
            token=token_hex(16),
            viewer=token_hex(16),
        )
        for cluster, labels in clusters
    ]
    apis = [ApiServer(s.cluster, now, token=s.token, viewer=s.viewer) for s in spokes]
    servers = [_Server(_config(api)) for api in apis]
    async with anyio.create_task_group() as answering, anyio.create_task_group() as acting:
        for spoke, server in zip(spokes, servers, strict=True):
            answering.start_soon(server.serve, [spoke.socket])
            acting.start_soon(Engine(spoke.cluster, now).run)
        try:
            yield spokes
        finally:
            acting.cancel_scope.cancel()
            answering.cancel_scope.deadline = anyio.current_time() + STOP_WITHIN
            for api, server in zip(apis, servers, strict=True):
                api.close()
                server.should_exit = True


def _config(api: ApiServer) -> uvicorn.Config:
    return uvicorn.Config(
        api.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
        # A watch is quiet for as long as it lives.
        timeout_keep_alive=600,
    )


def write_kubeconfig(path: Path, spokes: Sequence[Spoke], *, viewer: bool = False) -> Path:
    """Writes a kubeconfig with a context for each cluster, as Rollgraph and kubectl read it."""
    body: Manifest = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": spokes[0].cluster.name if spokes else "",
        "clusters": [
            {"name": spoke.cluster.name, "cluster": {"server": spoke.url}} for spoke in spokes
        ],
        "users": [
            {
                "name": spoke.cluster.name,
                "user": {"token": spoke.viewer if viewer else spoke.token},
            }
            for spoke in spokes
        ],
        "contexts": [
            {
                "name": spoke.cluster.name,
                "context": {
                    "cluster": spoke.cluster.name,
                    "user": spoke.cluster.name,
                    "extensions": [{"name": "rollgraph", "extension": {"labels": spoke.labels}}],
                },
            }
            for spoke in spokes
        ],
    }
    path.touch(mode=0o600)
    # JSON is YAML.
    path.write_bytes(msgspec.json.format(msgspec.json.encode(body)))
    return path
