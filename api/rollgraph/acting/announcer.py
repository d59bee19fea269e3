"""Tells rollouts what was done to them, as Events, after whoever did it has their answer."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import anyio
import structlog
from anyio.abc import TaskGroup

from rollgraph.core.announcements import announcement
from rollgraph.core.audit import AuditRow
from rollgraph.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    NotInstalledError,
    RollgraphError,
)

# Creates an Event on a cluster; raises a `RollgraphError` if it cannot.
CreateEvent: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[None]]

# For each cluster. A bulk over a hundred of its rollouts fits; beyond, the oldest goes.
MAX_WAITING = 100
# Seconds before the second and the third try; then the Event is given up. The audit has the row.
PAUSES = (1.0, 5.0)
# Seconds that Events on their way get when the process ends.
FAREWELL = 2.0

# What the next try would end in, too: a missing right, a namespace that is gone.
_FINAL = (ForbiddenError, NotFoundError, NotInstalledError, InvalidRequestError)

_log = structlog.get_logger(__name__)


class Announcer:
    """Sends Events, to each cluster one after the other, to all clusters at once.

    Args:
        create: Creates one.
    """

    def __init__(self, create: CreateEvent) -> None:
        self._create = create
        self._waiting: dict[str, deque[dict[str, Any]]] = {}
        self._busy: set[str] = set()
        self._wake = anyio.Event()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many Events wait to be sent."""
        return sum(map(len, self._waiting.values()))

    def announce(self, row: AuditRow) -> None:
        """Has the row told to its rollout, if it changed it; never waits."""
        event = announcement(row)
        if event is None or row.entry.ref is None:
            return
        cluster = row.entry.ref.cluster
        waiting = self._waiting.setdefault(cluster, deque())
        waiting.append(event)
        if len(waiting) > MAX_WAITING:
            self._drop(cluster, waiting.popleft(), f"{MAX_WAITING} others wait for the cluster")
        self._wake.set()

    async def run(self) -> None:
        """Sends what is announced, until cancelled."""
        try:
            async with anyio.create_task_group() as tasks:
                while True:
                    self._start(tasks)
                    await self._wake.wait()
                    self._wake = anyio.Event()
        finally:
            with anyio.move_on_after(FAREWELL, shield=True):
                async with anyio.create_task_group() as tasks:
                    self._busy.clear()
                    self._start(tasks)
            for cluster, waiting in self._waiting.items():
                for event in waiting:
                    self._drop(cluster, event, "the process ends")

    def _start(self, tasks: TaskGroup) -> None:
        for cluster in self._waiting.keys() - self._busy:
            self._busy.add(cluster)
            tasks.start_soon(self._empty, cluster)

    async def _empty(self, cluster: str) -> None:
        waiting = self._waiting[cluster]
        while waiting:
            event = waiting.popleft()
            try:
                trouble = await self._send(cluster, event)
            except anyio.get_cancelled_exc_class():
                waiting.appendleft(event)
                raise
            if trouble is not None:
                self._drop(cluster, event, trouble)
        del self._waiting[cluster]
        self._busy.discard(cluster)

    async def _send(self, cluster: str, event: dict[str, Any]) -> str | None:
        """Why an Event could not be sent in the end; None if it was."""
        for pause in (*PAUSES, None):
            try:
                await self._create(cluster, event)
                break
            except ConflictError:
                break  # an earlier try got through, though its answer did not
            except _FINAL as error:
                return str(error)
            except RollgraphError as error:
                if pause is None:
                    return str(error)
                await anyio.sleep(pause)
            except Exception as error:  # noqa: BLE001 - a bug, but acting can do without Events
                _log.error("event_failed", cluster=cluster, exc_info=error)
                return "internal error"
        return None

    def _drop(self, cluster: str, event: dict[str, Any], why: str) -> None:
        self.dropped += 1
        _log.warning(
            "event_dropped",
            cluster=cluster,
            namespace=event["metadata"]["namespace"],
            name=event["involvedObject"]["name"],
            reason=event["reason"],
            error=why,
            dropped=self.dropped,
        )
