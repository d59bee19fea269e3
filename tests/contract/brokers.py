"""The brokers that the contract is held against, and the Redis that one of them needs."""

import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from redis.asyncio import Redis

from rollgraph.adapters.memory.broker import MemoryBroker
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.ports import Broker
from testbed.deadline import wait_until

# Facts that a log keeps in these tests, more or less: Redis trims in blocks of a hundred.
LOG = 100


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

    def _silence(self) -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as found:
                found.sendall(b"PING\r\n")
                answer = found.recv(64)
        except OSError as error:
            return str(error)
        return None if answer.startswith(b"+PONG") else repr(answer)


@contextmanager
def redis_server(folder: Path, *flags: str) -> Iterator[RedisServer]:
    """A running Redis."""
    server = RedisServer(folder, *flags)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def in_memory(_: Callable[[], RedisServer]) -> AsyncIterator[Broker]:
    """The one of a single process."""
    yield MemoryBroker(log=LOG)


@asynccontextmanager
async def on_redis(server: Callable[[], RedisServer]) -> AsyncIterator[Broker]:
    """The one of several processes, on an empty Redis."""
    redis = Redis.from_url(server().url)
    try:
        await redis.flushall()
        yield RedisBroker(redis, log=LOG)
    finally:
        await redis.aclose()


Open = Callable[[Callable[[], RedisServer]], AbstractAsyncContextManager[Broker]]
BROKERS: dict[str, Open] = {"memory": in_memory, "redis": on_redis}
