"""What is published, heard over connections that may break."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import structlog
from anyio.streams.memory import MemoryObjectSendStream
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError

from rollgraph.adapters.redis import frames
from rollgraph.adapters.redis.cluster import Cluster
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.core.errors import BrokerError, UnreadableError
from rollgraph.core.feed.entries import Batch

# Seconds without a message after which a server is asked for a sign of life, and again until it
# counts as gone.
QUIET = 5.0
# Seconds between two attempts to connect, and that the end of a connection may take.
AGAIN = 0.5
END_WITHIN = 1.0
# Messages that wait here. Beyond, they wait in the server, which cuts off who is too slow: that is
# noticed, and healed.
WAITING = 64

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def hearing(redis: Client, keys: Keys) -> AsyncIterator[AsyncIterator[Batch | None]]:
    """All messages of all spokes, until left; None where some may have been lost."""
    send, receive = anyio.create_memory_object_stream[Batch | None](WAITING)
    async with send, receive, anyio.create_task_group() as tasks:
        tasks.start_soon(Hearing(redis, keys, send).run)
        yield receive
        tasks.cancel_scope.cancel()


class Hearing:
    """Hears each server on a connection of its own, and all of them or none.

    If one connection breaks, or a partition goes to another server, all begin anew: that is rare,
    takes milliseconds, and what is lost meanwhile is told as one loss. redis-py's own way of
    following a partition that moves tells nothing of what was lost.

    Args:
        redis: The client.
        keys: Where things are.
        heard: Where messages go.
    """

    def __init__(
        self, redis: Client, keys: Keys, heard: MemoryObjectSendStream[Batch | None]
    ) -> None:
        self._redis = redis
        self._channels = keys.channels()
        self._heard = heard
        self._unconfirmed: set[str] = set()

    async def run(self) -> None:
        """Hears until cancelled."""
        while True:
            try:
                with translated("messages"):
                    servers = await self._servers()
                await self._hear_all(servers)
            except BrokerError as error:
                _log.warning("broker_not_heard", error=str(error))
            await anyio.sleep(AGAIN)

    async def _servers(self) -> list[tuple[ConnectionPool, list[str]]]:
        """How to connect to each server, and its channels."""
        if not isinstance(self._redis, Cluster):
            pool = self._redis.connection_pool
            return [(_only(pool.connection_class, pool.connection_kwargs), self._channels)]
        options = {**self._redis.get_connection_kwargs()}
        # They belong to the client, and how often it may connect, too.
        class_ = options.pop("connection_class")
        del options["response_callbacks"], options["max_connections"]
        homes = await self._redis.homes(self._channels)
        return [
            (_only(class_, options | {"host": host, "port": port}), channels)
            for (host, port), channels in homes.items()
        ]

    async def _hear_all(self, servers: Sequence[tuple[ConnectionPool, list[str]]]) -> None:
        """Hears these servers until one of them cannot be heard any more."""
        self._unconfirmed = set(self._channels)
        async with anyio.create_task_group() as tasks:

            async def to_the_end(pool: ConnectionPool, channels: list[str]) -> None:
                try:
                    with translated("messages"):
                        await self._hear(pool, channels)
                except BrokerError as error:
                    _log.warning("broker_not_heard", error=str(error))
                tasks.cancel_scope.cancel()

            for pool, channels in servers:
                tasks.start_soon(to_the_end, pool, channels)

    async def _hear(self, pool: ConnectionPool, channels: list[str]) -> None:
        """Hears one server until it has another's channel, or raises."""
        pubsub = Redis(connection_pool=pool).pubsub()
        try:
            for channel in channels:  # one by one: in a cluster they are of different slots
                await pubsub.ssubscribe(channel)
            with suppress(MovedError):  # before it was subscribed to
                while await self._next(pubsub):
                    pass
        finally:
            with anyio.move_on_after(END_WITHIN, shield=True):
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await pool.disconnect()

    async def _next(self, pubsub: PubSub) -> bool:
        """Takes what comes next; False if the server does not publish all channels any more."""
        found = await pubsub.get_message(timeout=QUIET)
        if found is None:
            await pubsub.ping()
            found = await pubsub.get_message(timeout=QUIET)
        if found is None:
            raise TimeoutError(f"no sign of life for {2 * QUIET:g} s")
        kind = found["type"]
        if kind == "smessage":
            await self._heard.send(_read(found["data"]))
        elif kind == "ssubscribe":
            return await self._confirm(found["channel"].decode())
        return bool(kind != "sunsubscribe")

    async def _confirm(self, channel: str) -> bool:
        """Notes that a channel is heard; False if it was: the connection is another."""
        if channel not in self._unconfirmed:
            return False
        self._unconfirmed.discard(channel)
        if not self._unconfirmed:
            await self._heard.send(None)
        return True


def _only(connection_class: Any, options: dict[str, Any]) -> ConnectionPool:
    """A pool of one connection, which is not made again by itself and asks for signs of life."""
    alone = {"retry": Retry(NoBackoff(), 0), "health_check_interval": 0}
    return ConnectionPool(connection_class=connection_class, max_connections=1, **options | alone)


def _read(body: bytes) -> Batch | None:
    """A message; None for one that cannot be read: whoever heals will meet the fact and say so."""
    try:
        return frames.batch(body) if body else None
    except UnreadableError as error:
        _log.error("broker_message_unreadable", error=str(error))
        return None
