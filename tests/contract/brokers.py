"""The brokers and leases that contracts are held against, and the Redis that some of them need."""

import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from rollgraph.adapters.memory import MemoryBroker, MemoryLeases
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.leases import RedisLeases
from rollgraph.ports import Broker, Leases
from testbed.deadline import wait_until

# Facts that a log keeps in these tests, more or less: Redis trims in blocks of a hundred.
LOG = 100
# Seconds that a lease lasts here.
LASTS = 0.5


class RedisServer:
    """A Redis on loopback, in a folder of its own.

    Attributes:
        url: Where it is.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        self._folder = folder
        self._flags = flags
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, with what it has saved before, and waits until it answers."""
        binary = shutil.which("redis-server")
        assert binary is not None, "redis-server is missing: scripts/install-redis gets it"
        address = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._folder)]
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

    def forget(self) -> None:
        """Takes from it what it has saved; for one that is stopped."""
        for saved in self._folder.glob("appendonlydir/*"):
            saved.unlink()

    def ask(self, *words: str) -> str:
        """What it answers to a command, as redis-cli tells it."""
        cli = shutil.which("redis-cli")
        assert cli is not None, "redis-cli is missing: scripts/install-redis gets it"
        asked = subprocess.run(
            [cli, "-u", self.url, *words], check=True, capture_output=True, text=True
        )
        return asked.stdout.strip()

    def _silence(self) -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as found:
                found.sendall(b"PING\r\n")
                answer = found.recv(64)
        except OSError as error:
            return str(error)
        # One that wants a password first is there, too.
        return None if answer.startswith((b"+PONG", b"-NOAUTH")) else repr(answer)


@contextmanager
def started_on_demand(folder: Callable[[], Path]) -> Iterator[Callable[[], RedisServer]]:
    """A Redis that starts when it is first asked for."""
    started: list[RedisServer] = []

    def start() -> RedisServer:
        if not started:
            started.append(RedisServer(folder()))
            started[0].start()
        return started[0]

    try:
        yield start
    finally:
        for each in started:
            each.stop()


@contextmanager
def redis_server(folder: Path, *flags: str) -> Iterator[RedisServer]:
    """A running Redis."""
    server = RedisServer(folder, *flags)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Shared(msgspec.Struct, frozen=True):
    """A broker, and the leases that are taken for its feeds."""

    broker: Broker
    leases: Leases


@asynccontextmanager
async def in_memory(_: Callable[[], RedisServer]) -> AsyncIterator[Shared]:
    """The one of a single process."""
    broker = MemoryBroker(log=LOG)
    yield Shared(broker, MemoryLeases(broker, lasts=LASTS))


@asynccontextmanager
async def on_redis(server: Callable[[], RedisServer]) -> AsyncIterator[Shared]:
    """The one of several processes, on an empty Redis."""
    redis = Redis.from_url(server().url)
    try:
        await redis.flushall()
        yield Shared(RedisBroker(redis, log=LOG), RedisLeases(redis, lasts=LASTS))
    finally:
        await redis.aclose()


Open = Callable[[Callable[[], RedisServer]], AbstractAsyncContextManager[Shared]]
BROKERS: dict[str, Open] = {"memory": in_memory, "redis": on_redis}
