"""A fleet of pretended spokes under a real supervisor, in virtual time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio

from fakes.clock import LoopClock
from fakes.cluster import FakeCluster
from fakes.listwatch import FakeListWatch
from fakes.projection import RecordingProjection
from rollgraph.core.errors import RollgraphError
from rollgraph.ports import ListWatch, Spoke
from rollgraph.spokes.inventory import Listener
from rollgraph.spokes.supervisor import Supervisor, straight


class FakeSpoke:
    """One spoke: its cluster, its API server, and how opening it goes.

    Attributes:
        fails: What opening raises, while it is set.
        opened: Each connection that was opened.
    """

    def __init__(self, name: str, *, namespaces: tuple[str, ...] = ()) -> None:
        self.name = name
        self.cluster = FakeCluster()
        self.server = FakeListWatch(self.cluster)
        self.fails: RollgraphError | Exception | None = None
        self.opened: list[ListWatch] = []
        self._namespaces = namespaces

    def spoke(self, fingerprint: str = "1", **labels: str) -> Spoke:
        """Its description."""
        return Spoke(self.name, fingerprint, self._open, self._namespaces, labels)

    async def _open(self) -> ListWatch:
        await anyio.lowlevel.checkpoint()
        if self.fails is not None:
            raise self.fails
        self.opened.append(self.server)
        return self.server


class FakeSource:
    """A `ports.SpokeSource` that is told what to say."""

    def __init__(self, *spokes: Spoke) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Sequence[Spoke]](10)
        self.say(*spokes)

    def say(self, *spokes: Spoke) -> None:
        """These are all spokes from now on."""
        self._send.send_nowait(spokes)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """Of the port."""
        async with self._receive:
            with self._send:
                yield self._receive


class Fleet:
    """What a test of a fleet holds on to."""

    def __init__(self, source: FakeSource) -> None:
        self.source = source
        self.projection = RecordingProjection()


@asynccontextmanager
async def running(*spokes: FakeSpoke, listener: Listener | None = None) -> AsyncIterator[Fleet]:
    """Supervises some spokes."""
    fleet = Fleet(FakeSource(*(spoke.spoke() for spoke in spokes)))
    supervisor = Supervisor(
        fleet.source,
        straight(fleet.projection),
        clock=LoopClock(),
        rng=Random(1),
        listener=None if listener is None else lambda _: listener,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield fleet
        tasks.cancel_scope.cancel()
