"""What is published, heard over a connection that may break."""

import anyio
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from rollgraph.adapters.redis import frames
from rollgraph.adapters.redis.keys import PARTITIONS, Keys
from rollgraph.core.errors import UnreadableError
from rollgraph.core.feed.entries import Batch

# Seconds without a message after which the server is asked for a sign of life, and between two
# attempts to connect.
QUIET = 5.0
AGAIN = 0.5

_log = structlog.get_logger(__name__)


class Hearing:
    """All messages of all spokes, until closed; None where some may have been lost.

    redis-py connects again by itself and says nothing of it. The one sign is that the server
    confirms the subscriptions once more.

    Args:
        redis: The client.
        keys: Where things are.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._pubsub: PubSub | None = None
        self._unconfirmed = PARTITIONS

    def __aiter__(self) -> "Hearing":
        """It is its own iterator."""
        return self

    async def __anext__(self) -> Batch | None:
        """The next message. It does not end."""
        while True:
            try:
                found = await self._next()
            except (RedisError, OSError) as error:
                _log.warning("broker_not_heard", error=str(error))
                await self.close()
                await anyio.sleep(AGAIN)
            else:
                if found is not _NOTHING:
                    return found if isinstance(found, Batch) else None

    async def close(self) -> None:
        """Stops listening."""
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _next(self) -> object:
        if self._pubsub is None:
            self._pubsub = self._redis.pubsub()
            self._unconfirmed = PARTITIONS
            await self._pubsub.ssubscribe(*self._keys.channels())
        found = await self._pubsub.get_message(timeout=QUIET)
        if found is None:
            await self._pubsub.ping()
        elif found["type"] == "ssubscribe":
            self._unconfirmed = (self._unconfirmed or PARTITIONS) - 1
            return _NOTHING if self._unconfirmed else None
        elif found["type"] == "smessage":
            return _read(found["data"])
        return _NOTHING


_NOTHING = object()


def _read(body: bytes) -> Batch | None:
    """A message; None for one that cannot be read: whoever heals will meet the fact and say so."""
    try:
        return frames.batch(body) if body else None
    except UnreadableError as error:
        _log.error("broker_message_unreadable", error=str(error))
        return None
