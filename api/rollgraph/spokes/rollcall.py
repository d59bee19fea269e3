"""Spokes of which nothing has been heard yet, shown as such.

Where watching is others' business, a fleet whose workers are late or dead would look like a smaller
one that is all there.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.ports import Clock, Mirror, Projection, Spoke, SpokeSource


class RollCall:
    """A source whose spokes are in the fleet's model from the start: a `ports.SpokeSource`.

    Args:
        source: The spokes.
        projection: The fleet's model, to write.
        mirror: The same, to read.
        clock: The time of day.
    """

    def __init__(
        self, source: SpokeSource, projection: Projection, mirror: Mirror, clock: Clock
    ) -> None:
        self._source = source
        self._projection = projection
        self._mirror = mirror
        self._clock = clock
        self._names: frozenset[str] = frozenset()
        # What was put here, for as long as nobody who knows has replaced it.
        self._silent: dict[str, ClusterView] = {}

    def has(self, cluster: str) -> bool:
        """Whether there is a spoke of this name."""
        return cluster in self._names

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Spoke]]]:
        """See `ports.SpokeSource`."""
        return self._watch()

    async def run(self) -> None:
        """Reads the source until cancelled, for whom nobody else does."""
        async with self.watch() as answers:
            async for _ in answers:
                pass

    @asynccontextmanager
    async def _watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        async with self._source.watch() as answers:
            yield self._called(answers)

    async def _called(
        self, answers: AsyncIterator[Sequence[Spoke]]
    ) -> AsyncIterator[Sequence[Spoke]]:
        async for spokes in answers:
            self._call(spokes)
            yield spokes

    def _call(self, spokes: Sequence[Spoke]) -> None:
        self._names = frozenset(spoke.name for spoke in spokes)
        for name in self._silent.keys() - self._names:
            if self._mirror.cluster(name) is self._silent.pop(name):
                self._projection.drop_cluster(name)
        for spoke in spokes:
            if self._mirror.cluster(spoke.name) is None:
                view = ClusterView(
                    spoke.name, ConnectionStatus.SYNCING, self._clock.now(), labels=spoke.labels
                )
                self._silent[spoke.name] = view
                self._projection.put_cluster(view)
