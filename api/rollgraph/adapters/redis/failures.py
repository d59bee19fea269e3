"""What goes wrong with Redis, as our errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisClusterException, RedisError

from rollgraph.core.errors import BrokerError, UnreadableError


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Makes a `BrokerError` of whatever Redis, the network, or strange bytes in it do.

    Args:
        what: What could not be done, for a person.
    """
    try:
        yield
    except (RedisError, RedisClusterException, OSError, UnreadableError) as error:
        raise BrokerError(f"{what}: {error}") from error
