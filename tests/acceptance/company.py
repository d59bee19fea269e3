"""Several workers and gateways on one Redis, each a process of its own, with links in between."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from acceptance import ledger
from acceptance.gateway import ROLLGRAPH, Gateway
from acceptance.links import Links
from contract.servers import RedisServer
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.ports import free_port
from testbed.process import Process
from testbed.toxiproxy import Toxiproxy

CONNECTION = """query Connection($cluster: String!) {
  cluster(name: $cluster) { connection { status problem watches { resource relists } } }
}"""
ONE = """query One($cluster: String!) {
  rollouts(first: 1, filter: {cluster: {eq: $cluster}}) { nodes { freshness { stale } } }
}"""


class Worker:
    """A running `rollgraph worker`; it ends with the `with` block."""

    def __init__(self, name: str, kubeconfig: Path, folder: Path, *flags: str) -> None:
        self.name = name
        port = free_port()
        where = ["--kubeconfig", str(kubeconfig), "--port", str(port), "--worker-name", name]
        argv = [str(ROLLGRAPH), "worker", *where, *flags]
        self.process = Process(name, argv, folder / f"{name}.log")
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=5)

    def start(self) -> None:
        """Starts it, and waits until it is a worker among the others."""
        self.process.start(self._not_ready)

    def close(self) -> None:
        """Ends it."""
        self._client.close()
        self.process.stop()

    @property
    def watched(self) -> list[str]:
        """The spokes that it says are its own; none if it does not run."""
        try:
            found: list[str] = self._client.get("/readyz").json()["watched"]
        except httpx2.TransportError:
            return []
        return found

    def _not_ready(self) -> str | None:
        try:
            answer = self._client.get("/readyz")
        except httpx2.TransportError as error:
            return str(error)
        return None if answer.status_code == 200 else answer.text


class Company:
    """All of them.

    Attributes:
        redis: Where they meet.
        links: The ways between them.
        workers: Two, `ann` and `bob`.
        gateways: Two, `one` and `two`.
        doors: URLs of the gateways, for subscribers: straight, and over a link.
    """

    def __init__(
        self, fleet: Fleet, folder: Path, redis: RedisServer, links: Links, *flags: str
    ) -> None:
        self.fleet = fleet
        self.redis = redis
        self.links = links

        def shared(name: str) -> tuple[str, ...]:
            return ("--redis", links.to_redis(name, redis.url), *flags)

        self.workers = [
            Worker(name, links.kubeconfig, folder, *shared(name)) for name in ("ann", "bob")
        ]
        named = {
            name: Gateway(fleet.kubeconfig, folder, shared(name), "gateway", name)
            for name in ("one", "two")
        }
        self.gateways = [*named.values()]
        self.doors = [
            url
            for name, gateway in named.items()
            for url in (gateway.url, links.to_gateway(name, gateway.url))
        ]

    def shared(self) -> str | None:
        """Whether each spoke has one worker, and each running worker its share; what is wrong."""
        found = {worker.name: worker.watched for worker in self.workers if worker.process.running}
        watched = sorted(spoke for spokes in found.values() for spoke in spokes)
        if watched != sorted(self.fleet.spokes):
            return f"watched: {found}"
        return None if all(found.values()) else f"idle: {found}"

    def wait_until_shared(self, seconds: float = 15) -> None:
        """Waits until the spokes are watched, each by one worker."""
        wait_until(self.shared, seconds=seconds, what="every spoke has a worker")

    def wait_until_agreed(self, namespace: str, seconds: float = 30) -> int:
        """Waits until every gateway holds what each spoke lists; how many objects that is."""
        return sum(
            ledger.agree(gateway, spoke, namespace, seconds)
            for gateway in self.gateways
            for spoke in self.fleet.spokes.values()
        )

    def owner(self, spoke: str) -> Worker:
        """The worker that watches a spoke."""
        return next(worker for worker in self.workers if spoke in worker.watched)

    def other(self, worker: Worker) -> Worker:
        """The other one."""
        return next(each for each in self.workers if each is not worker)


@contextmanager
def company(fleet: Fleet, folder: Path, *flags: str) -> Iterator[Company]:
    """Two workers and two gateways; all have been read."""
    redis = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always")
    with ExitStack() as stack:
        redis.start()
        stack.callback(redis.stop)
        proxy = stack.enter_context(Toxiproxy(fleet.built, folder))
        made = Company(fleet, folder, redis, Links(proxy, fleet, folder), *flags)
        for worker in made.workers:
            stack.callback(worker.close)
            worker.start()
        made.wait_until_shared()
        for gateway in made.gateways:
            stack.enter_context(gateway)
            gateway.wait_until_synced()
        yield made


def total(gateway: Gateway) -> int:
    """How many rollouts a gateway knows."""
    count: int = gateway.ask("{ rollouts { totalCount } }")["rollouts"]["totalCount"]
    return count


def stale(gateway: Gateway) -> set[str]:
    """The clusters whose rollouts a gateway says it may not know as they are now.

    One rollout of each cluster is asked, for on a fleet with many all of a page are of the first.
    """
    clusters = gateway.ask("{ clusters { nodes { name } } }")["clusters"]["nodes"]
    found = {cluster["name"]: gateway.ask(ONE, cluster=cluster["name"]) for cluster in clusters}
    nodes = {name: answer["rollouts"]["nodes"] for name, answer in found.items()}
    assert all(nodes.values()), f"clusters without a rollout: {nodes}"
    return {name for name, (node,) in nodes.items() if node["freshness"]["stale"]}


def connection(gateway: Gateway, cluster: str) -> dict[str, Any]:
    """How a gateway says that a cluster is watched; `relists` is that of its rollouts."""
    found = gateway.ask(CONNECTION, cluster=cluster)["cluster"]["connection"]
    relists = [watch["relists"] for watch in found["watches"] if watch["resource"] == "Rollout"]
    return {**found, "relists": sum(relists)}
