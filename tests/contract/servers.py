"""Redis on loopback for contracts and whatever else needs one: alone, and as a cluster."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from rollgraph.adapters.redis.opening import Client, greet, open_redis
from testbed.deadline import wait_until
from testbed.ports import free_port

# One that is alone, the same as a user who may no more than the docs say, and a cluster.
REDISES = ("redis", "limited", "cluster")


class RedisServer:
    """A Redis on loopback, in a folder of its own.

    Attributes:
        port: Where it listens.
        url: Where it is.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        self._folder = folder
        self._flags = flags
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, with what it has saved before, and waits until it answers."""
        binary = shutil.which("redis-server")
        assert binary is not None, "redis-server is missing: scripts/install-redis gets it"
        address = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [binary, *address, "--save", "", *self._flags],
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )
        wait_until(self._silence, seconds=10, what="redis-server answers")

    def stop(self) -> None:
        """Ends it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Lets it do nothing meanwhile, though its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def forget(self) -> None:
        """Takes from it what it has saved; for one that is stopped."""
        for saved in self._folder.glob("appendonlydir/*"):
            saved.unlink()

    def empty(self) -> None:
        """Takes all data from it."""
        self.ask("FLUSHALL")

    def ask(self, *words: str) -> str:
        """What it answers to a command, as redis-cli tells it."""
        cli = shutil.which("redis-cli")
        assert cli is not None, "redis-cli is missing: scripts/install-redis gets it"
        asked = subprocess.run(
            [cli, "-u", self.url, *words], check=True, capture_output=True, text=True
        )
        return asked.stdout.strip()

    def flag(self, name: str) -> str:
        """What a flag of it is set to."""
        return self._flags[self._flags.index(name) + 1]

    def _silence(self) -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as found:
                found.sendall(b"PING\r\n")
                answer = found.recv(64)
        except OSError as error:
            return str(error)
        # One that wants a password first is there, too.
        return None if answer.startswith((b"+PONG", b"-NOAUTH")) else repr(answer)


class OnDemand:
    """A Redis and a cluster, each of which starts when it is first asked for."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._alone: RedisServer | None = None
        self._cluster: RedisCluster | None = None

    def __call__(self) -> RedisServer:
        """The one that is alone."""
        if self._alone is None:
            self._alone = self._stack.enter_context(redis_server(self._folder()))
        return self._alone

    def cluster(self) -> "RedisCluster":
        """The cluster."""
        if self._cluster is None:
            self._cluster = self._stack.enter_context(redis_cluster(self._folder()))
        return self._cluster

    def close(self) -> None:
        """Stops what was started."""
        self._stack.close()


@contextmanager
def started_on_demand(folder: Callable[[], Path]) -> Iterator[OnDemand]:
    """Redis that starts when it is first asked for."""
    servers = OnDemand(folder)
    try:
        yield servers
    finally:
        servers.close()


@contextmanager
def redis_server(folder: Path, *flags: str) -> Iterator[RedisServer]:
    """A running Redis."""
    server = RedisServer(folder, *flags)
    try:
        server.start()
        yield server
    finally:
        server.stop()


# In a flag of all servers of a cluster: a port of each one's own.
ANY_PORT = "PORT"
# Slots of a cluster.
SLOTS = 16384


class RedisCluster:
    """A Redis Cluster on loopback.

    Attributes:
        url: Where some of its servers are.
        primaries: Those that hold data at first.
        replicas: Those that hold copies at first, in the order of whose.
    """

    def __init__(
        self, folder: Path, primaries: int = 3, replicas: int = 0, flags: Sequence[str] = ()
    ) -> None:
        nodes = [_node(folder / str(number), flags) for number in range(primaries + replicas)]
        self.primaries, self.replicas = nodes[:primaries], nodes[primaries:]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)

    @property
    def nodes(self) -> list[RedisServer]:
        """All servers."""
        return self.primaries + self.replicas

    def start(self) -> None:
        """Starts it, and waits until all servers agree who holds what."""
        for node in self.nodes:
            node.start()
        first, *others = self.nodes
        for node in others:
            node.ask("CLUSTER", "MEET", "127.0.0.1", str(first.port), node.flag("--cluster-port"))
            first.ask("CLUSTER", "MEET", "127.0.0.1", str(node.port), node.flag("--cluster-port"))
        share = SLOTS // len(self.primaries)
        for number, node in enumerate(self.primaries):
            last = SLOTS - 1 if node is self.primaries[-1] else (number + 1) * share - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", str(number * share), str(last))
        wait_until(self._disagreement, seconds=20, what="the cluster is one")
        for node, of in zip(self.replicas, self.primaries, strict=False):
            node.ask("CLUSTER", "REPLICATE", of.ask("CLUSTER", "MYID"))
        wait_until(self._missing_copies, seconds=20, what="each replica has a copy")

    def stop(self) -> None:
        """Ends all servers at once."""
        for node in self.nodes:
            node.stop()

    def empty(self) -> None:
        """Takes all data from it."""
        for node in self.primaries:
            node.empty()

    def _missing_copies(self) -> str | None:
        links = [node.ask("INFO", "replication") for node in self.replicas]
        return next((link for link in links if "master_link_status:up" not in link), None)

    def _disagreement(self) -> str | None:
        for node in self.nodes:
            told = node.ask("CLUSTER", "INFO")
            if "cluster_state:ok" not in told or f"known_nodes:{len(self.nodes)}" not in told:
                return told
        return None


def _node(folder: Path, flags: Sequence[str]) -> RedisServer:
    folder.mkdir(parents=True)
    flags = [str(free_port()) if flag == ANY_PORT else flag for flag in flags]
    # Its usual port is 10,000 above the other, which may be none.
    bus = ["--cluster-port", str(free_port())]
    return RedisServer(
        folder, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", *bus, *flags
    )


@contextmanager
def redis_cluster(
    folder: Path, replicas: int = 0, flags: Sequence[str] = ()
) -> Iterator[RedisCluster]:
    """A running cluster of three that hold data."""
    cluster = RedisCluster(folder, replicas=replicas, flags=flags)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@asynccontextmanager
async def client(kind: str, servers: OnDemand) -> AsyncIterator[Client]:
    """A client of an empty Redis: one of `REDISES`."""
    server = servers.cluster() if kind == "cluster" else servers()
    server.empty()
    url = server.url
    if kind == "limited":
        servers().ask("ACL", "SETUSER", "rollgraph", *rights())
        url = url.replace("://", "://rollgraph:PASSWORD@")
    redis = open_redis(url)
    try:
        await greet(redis)  # so that no test waits until a cluster is known
        yield redis
    finally:
        await redis.aclose()


def rights() -> list[str]:
    """What our user may in a Redis that others use, too: as the docs have it."""
    docs = Path(__file__).parents[2] / "docs" / "operations.md"
    lines = docs.read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith("user rollgraph on")).split()[2:]
