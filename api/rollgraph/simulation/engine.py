"""A cluster in real time: its controllers act when something has changed or is due."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import anyio

from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.store import Change

# Seconds. Times in objects are whole seconds: nothing is gained by waking up more often, but what a
# client wrote is acted upon at once.
LONGEST_SLEEP = 60.0


class Engine:
    """Lets a cluster act until it is cancelled.

    Args:
        cluster: The cluster.
        now: The time.
    """

    def __init__(self, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._now = now
        self._changed = anyio.Event()

    async def run(self) -> None:
        """Acts, sleeps, and acts again."""
        with self._listening():
            while True:
                due = self._cluster.act(self._now())
                # What acting itself has changed is no reason to act again.
                self._changed = anyio.Event()
                sleep = LONGEST_SLEEP
                if due is not None:
                    sleep = min(sleep, (due - self._now()).total_seconds())
                with anyio.move_on_after(max(0.0, sleep)):
                    await self._changed.wait()
                await anyio.lowlevel.checkpoint()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        listeners = self._cluster.store.listeners
        listeners.append(self._note)
        try:
            yield
        finally:
            listeners.remove(self._note)

    def _note(self, _: str, __: Change) -> None:
        self._changed.set()
