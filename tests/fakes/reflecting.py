"""A reflector on a script, with all that a test wants to look at."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio

from fakes.clock import LoopClock
from fakes.listwatch import ScriptedListWatch
from rollgraph.core.connection import WatchView
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.refs import Kind
from rollgraph.ports import ListWatch, Spoke, WatchObserver
from rollgraph.spokes.connection import Connection
from rollgraph.spokes.gate import Gate
from rollgraph.spokes.reflector import Reflector
from rollgraph.spokes.store import Change, Delivery, Store
from rollgraph.spokes.watchstate import WatchState


class Rig:
    """The reflector, its store and what it did to it.

    Attributes:
        changes: What was delivered, as `name@version` or `-name`, in order.
        replaced: The names of each full list.
        opened: How often the spoke was opened.
        versions: Each version that the reflector stood at, in order.
    """

    def __init__(
        self,
        script: ListWatch,
        kind: Kind,
        opens: Sequence[ListWatch],
        observer: WatchObserver | None = None,
    ) -> None:
        self.script = script
        self.store: Store[KubeObject] = Store()
        self.changes: list[str] = []
        self.replaced: list[list[str]] = []
        self.versions: list[str] = []
        self.opened = 0
        self._opens = [script, *opens]
        self.state = WatchState(
            kind, "", LoopClock(), count=lambda: len(self.store), observer=observer
        )
        spoke = Spoke("east", "1", self._open)
        self.reflector = Reflector(self.state, Connection(spoke), self, Gate(), Random(1))

    @property
    def view(self) -> WatchView:
        """What the reflector says of itself."""
        self.state.settle()
        return self.state.view()

    @property
    def held(self) -> dict[str, str]:
        """Name and version of each object."""
        return {obj.metadata.name: obj.metadata.resource_version for obj in self.store}

    def apply(self, delivery: Delivery) -> None:
        """Of the sink."""
        self._note(self.store.apply(delivery))

    def replace(self, deliveries: Sequence[Delivery]) -> None:
        """Of the sink."""
        self.replaced.append([delivery.object.metadata.name for delivery in deliveries])
        for change in self.store.replace(deliveries):
            self._note(change)

    async def until(self, true: Callable[[], bool], every: float = 0.25) -> None:
        """Lets virtual time pass until a condition holds, looked at every so many seconds."""
        for _ in range(10_000):
            if true():
                return
            await anyio.sleep(every)
        raise AssertionError(f"never: {self.view}")

    async def _open(self) -> ListWatch:
        self.opened += 1
        return self._opens[min(self.opened, len(self._opens)) - 1]

    def _note(self, change: Change | None) -> None:
        if change is not None:
            meta = change.object.metadata
            gone = change.new is None
            self.changes.append(f"-{meta.name}" if gone else f"{meta.name}@{meta.resource_version}")


@asynccontextmanager
async def reflecting(
    script: ScriptedListWatch,
    *more: ListWatch,
    kind: Kind = Kind.POD,
    observer: WatchObserver | None = None,
) -> AsyncIterator[Rig]:
    """Runs a reflector; `more` are what the spoke gives when it is opened again."""
    rig = Rig(script, kind, more, observer)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.reflector.run)
        yield rig
        tasks.cancel_scope.cancel()
