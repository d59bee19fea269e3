"""A publisher for each spoke of a worker, for as long as the worker watches it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import anyio
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.feed.publisher import Publisher
from rollgraph.ports import Broker, Clock, Projection

# Seconds until a feed that could not be ended is tried again.
AGAIN = 5.0

_log = structlog.get_logger(__name__)


class Publishing:
    """Opens where a worker puts what it knows of a spoke; see `spokes.supervisor`.

    Args:
        broker: Where the feeds are.
        clock: The time of day.
        rng: Chance for waits.
    """

    def __init__(self, broker: Broker, clock: Clock, rng: Random | None = None) -> None:
        self._broker = broker
        self._clock = clock
        self._rng = rng if rng is not None else Random()

    @asynccontextmanager
    async def __call__(self, cluster: str) -> AsyncIterator[Projection]:
        """Writes what is put, until left.

        A spoke that was dropped by then has no feed any more. One that was not is watched by
        another worker next, which finds what was written.
        """
        publisher = Publisher(cluster, self._broker, self._clock, self._rng)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publisher.run)
            yield publisher
            tasks.cancel_scope.cancel()
        if publisher.dropped:
            await self._end(cluster)

    async def _end(self, cluster: str) -> None:
        while True:
            try:
                return await self._broker.drop(cluster)
            except BrokerError as error:
                _log.warning("feed_not_ended", cluster=cluster, error=str(error))
            await anyio.sleep(AGAIN)
