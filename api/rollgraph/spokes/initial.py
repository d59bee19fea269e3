"""The full list that a watch starts from: by a stream if the server can, else by pages."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import anyio
import anyio.lowlevel
import msgspec
import structlog

from rollgraph.core.errors import (
    ExpiredError,
    ForbiddenError,
    InvalidRequestError,
    RollgraphError,
    ServerError,
    TooLargeVersionError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import WatchEvent
from rollgraph.core.refusals import refusal
from rollgraph.ports import ListWatch
from rollgraph.spokes.gate import Gate
from rollgraph.spokes.incoming import delivered, read_object
from rollgraph.spokes.store import Delivery
from rollgraph.spokes.watchstate import WatchState

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
# Seconds without any event before the mark. A server older than 1.27 does not know the parameter,
# sends all objects and then no mark, ever; client-go only warns. A healthy server pauses for less.
NO_MARK_AFTER = 30.0
# A stream that breaks so often before its mark, though objects came, will not get through whole (a
# proxy that cuts at 30 s): then a list in pages makes progress where a stream does not.
CUT_SHORT_TIMES = 2
# client-go's page. Asked for only where the server's cache ignores it or cannot be used: a limit
# takes the request past the cache to etcd.
PAGE = 500
# Objects decoded before others get a turn: about 5 ms of a core at 50 us each.
BATCH = 100

_log = structlog.get_logger(__name__)


class Sink(Protocol):
    """Where the objects go. Both calls are atomic and do not wait."""

    def apply(self, delivery: Delivery) -> None:
        """Takes in one object."""

    def replace(self, deliveries: Sequence[Delivery]) -> None:
        """Takes in a full list: what is not in it is gone."""


class InitialList:
    """Brings a full list into a sink.

    Attributes:
        needed: True while what is held is no ground to watch from.
        by_stream: False once the server has turned out not to know WatchList.
        paging: True while a LIST is on its way.
    """

    def __init__(self, state: WatchState, sink: Sink, gate: Gate) -> None:
        self.needed = True
        self.by_stream = True
        self.paging = False
        self._state = state
        self._sink = sink
        self._gate = gate
        self._unusable = False
        self._paged = False
        self._cut_short = 0
        self._log = _log.bind(kind=str(state.kind), namespace=state.namespace)

    def expired(self) -> bool:
        """The version was refused. Returns False if there is no other left to ask for.

        The first list after a watch's 410 still asks for that version or newer, so that it never
        goes back in time to an older cache; if the list is refused too, it asks for the newest.
        """
        exhausted = self._unusable
        self._unusable = self._unusable or self.needed
        self.needed = True
        return not exhausted

    @asynccontextmanager
    async def stream(
        self, listwatch: ListWatch, seconds: float
    ) -> AsyncIterator[AsyncIterator[WatchEvent] | None]:
        """A stream that has brought the full list and goes on with changes.

        None if the server refused, whatever the reason: a list makes progress where insisting
        might not.
        """
        async with AsyncExitStack() as stack:
            events = None
            try:
                place = await stack.enter_async_context(self._gate.place())
                events = await stack.enter_async_context(self._open(listwatch, seconds))
                await self._until_mark(events)
                place.give_back()
            except RollgraphError as error:
                if not self._refuses(error):
                    raise
                self._log.info("watch_list_refused", error=str(error))
                events = None
                await stack.aclose()
            yield events

    def _open(
        self, listwatch: ListWatch, seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        return listwatch.watch(
            self._state.kind,
            namespace=self._state.namespace,
            resource_version="" if self._unusable else self._state.resource_version,
            timeout=seconds,
            initial_events=True,
        )

    async def _until_mark(self, events: AsyncIterator[WatchEvent]) -> None:
        """Takes in everything up to the mark. Versions of single objects mean nothing before it."""
        deliveries: list[Delivery] = []
        with anyio.CancelScope(deadline=anyio.current_time() + NO_MARK_AFTER) as quiet:
            async for event in events:
                quiet.deadline = anyio.current_time() + NO_MARK_AFTER
                self._state.alive()
                if event.type == "ERROR":
                    status = decode.status(bytes(event.object))
                    raise refusal(status.code, status)
                if event.type == "BOOKMARK":
                    meta = decode.bookmark(event.object)
                    if meta.annotation(INITIAL_EVENTS_END) == "true":
                        self._complete(deliveries, meta.resource_version)
                        self._state.opened()
                        return self._state.bookmark(meta.resource_version)
                    continue
                if not deliveries:
                    self._state.syncing()
                    self._cut_short += 1  # forgotten if it arrives whole
                delivery = delivered(self._state.kind, event)
                if delivery is not None:
                    deliveries.append(delivery)
        if quiet.cancelled_caught:
            raise InvalidRequestError(f"no end of the initial events in {NO_MARK_AFTER:.0f} s")
        raise UnreachableError("the server closed the stream before its initial events ended")

    def _refuses(self, error: RollgraphError) -> bool:
        """True for an answer after which a list should be tried; some answers are for good."""
        match error:
            case InvalidRequestError():
                self.by_stream = False
                return True
            case TooLargeVersionError() | ExpiredError():
                # Without a version there is nothing that could be too large: this server's etcd is
                # too old for WatchList (before 3.4.31) and says so in this odd way.
                self.by_stream = bool(self._state.resource_version) and not self._unusable
                return not self.by_stream
            case UnreachableError():
                return self._cut_short >= CUT_SHORT_TIMES
            case ForbiddenError() | ServerError() | UnreadableError():
                return True
            case _:
                return False

    async def pages(self, listwatch: ListWatch) -> None:
        """Brings a full list by LIST: from the server's cache first, which may be a little old."""
        async with self._gate.place():
            self.paging = True
            try:
                page = await self._all_pages(listwatch)
            except (ExpiredError, TooLargeVersionError):
                if self._unusable:
                    raise
                self._unusable = True
                page = await self._all_pages(listwatch)
            finally:
                self.paging = False
        self._complete(*page)

    async def _all_pages(self, listwatch: ListWatch) -> tuple[list[Delivery], str]:
        """All pages; without pages if their token expired under way."""
        version = "" if self._unusable else self._state.resource_version or "0"
        limit = PAGE if version in {"", "0"} or self._paged else None
        deliveries: list[Delivery] = []
        token = ""
        while True:
            try:
                page = await listwatch.list(
                    self._state.kind,
                    namespace=self._state.namespace,
                    resource_version="" if token else version,
                    continue_=token,
                    limit=limit,
                )
            except ExpiredError:
                if not token:
                    raise
                deliveries, token, limit = [], "", None
                continue
            self._state.syncing()
            deliveries += await self._decoded(page.items or ())
            token = page.metadata.continue_
            if not token:
                return deliveries, page.metadata.resource_version
            self._paged = self._paged or version == "0"

    async def _decoded(self, items: Sequence[msgspec.Raw]) -> list[Delivery]:
        deliveries = []
        for number, raw in enumerate(items):
            if number % BATCH == BATCH - 1:
                await anyio.lowlevel.checkpoint()
            obj = read_object(self._state.kind, raw)
            if obj is not None:
                deliveries.append(Delivery(obj))
        return deliveries

    def _complete(self, deliveries: list[Delivery], resource_version: str) -> None:
        self._sink.replace(deliveries)
        self.needed = self._unusable = False
        self._cut_short = 0
        self._state.listed(resource_version)
