"""A publisher for each spoke of a worker, for as long as the worker watches it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import anyio
import structlog

from rollgraph.core.errors import BrokerError
from rollgraph.feed.publisher import Publisher
from rollgraph.ports import Broker, Clock, FeedObserver, Handover, Tracing

# Seconds until a feed that could not be ended is tried again.
AGAIN = 5.0
# Seconds in which the last of what was learned is written. Whoever watches the spoke next shows
# what is; this is so that it was told what led there.
LAST_WORDS = 0.5

_log = structlog.get_logger(__name__)


class Publishing:
    """Opens where a worker puts what it knows of a spoke; see `spokes.supervisor`.

    Args:
        broker: Where the feeds are.
        clock: The time of day.
        rng: Chance for waits.
        holder: As whom feeds are claimed; see `ports.Broker`.
        kept: Whether there still is a spoke of a name, watched by another worker.
        observer: Hears what is written.
        tracing: Follows it.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        rng: Random | None = None,
        *,
        holder: str = "",
        kept: Callable[[str], bool] = lambda _: False,
        observer: FeedObserver | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._rng = rng if rng is not None else Random()
        self._holder = holder
        self._kept = kept
        self._observer = observer
        self._tracing = tracing
        self._publishers: set[Publisher] = set()

    @property
    def waiting(self) -> int:
        """How many facts of all spokes wait to be written."""
        return sum(publisher.waiting for publisher in self._publishers)

    @asynccontextmanager
    async def __call__(self, cluster: str) -> AsyncIterator[Handover]:
        """Writes what is put, until left, and a moment longer what was put last.

        A spoke that was dropped by then has no feed any more. One that was not is watched by
        another worker next, which finds what was written.
        """
        publisher = Publisher(
            cluster,
            self._broker,
            self._clock,
            self._rng,
            holder=self._holder,
            observer=self._observer,
            tracing=self._tracing,
        )
        self._publishers.add(publisher)
        # Cancelled here and from nowhere else: who stops the worker wants its last words.
        scope = anyio.CancelScope(shield=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_within, scope, publisher.run)
            try:
                yield publisher
            finally:
                with anyio.move_on_after(LAST_WORDS, shield=True):
                    await publisher.written()
                scope.cancel()
                self._publishers.discard(publisher)
        if publisher.dropped and not self._kept(cluster):
            await self._end(cluster)

    async def _end(self, cluster: str) -> None:
        while True:
            try:
                return await self._broker.drop(cluster)
            except BrokerError as error:
                _log.warning("feed_not_ended", cluster=cluster, error=str(error))
            await anyio.sleep(AGAIN)


async def _within(scope: anyio.CancelScope, run: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await run()
