"""API servers without HTTP, for virtual time: one that follows a script, one that has a cluster."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias

import anyio
import msgspec

from fakes.cluster import FakeCluster, bookmark, line, page
from rollgraph.core.errors import ExpiredError, RollgraphError, SpokeError
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import ObjectList, WatchEvent
from rollgraph.core.refs import Kind
from rollgraph.ports import ServerVersions

HOLD = float("inf")
# A line of a stream, seconds to wait, HOLD to stay open for ever, or how the stream breaks.
Step: TypeAlias = bytes | float | Exception
# What happens to one request for a stream: it fails, or it plays its steps and is closed.
Stream: TypeAlias = Exception | Sequence[Step]


class Call(msgspec.Struct, frozen=True):
    """One request."""

    verb: str
    resource_version: str
    limit: int | None = None
    continue_: str = ""
    initial_events: bool = False
    timeout: float = 0.0
    at: float = 0.0


class ScriptedListWatch:
    """Plays lists and streams in the order given; after the last one it holds still."""

    def __init__(
        self, *, lists: Iterable[bytes | Exception] = (), streams: Iterable[Stream] = ()
    ) -> None:
        self.calls: list[Call] = []
        self.lists = deque(lists)
        self.streams = deque(streams)
        self.open_streams = 0
        self.closed = False

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Verb and version of each request; a WatchList's verb is `stream`."""
        return [
            ("stream" if call.initial_events else call.verb, call.resource_version)
            for call in self.calls
        ]

    async def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str = "",
        continue_: str = "",
        limit: int | None = None,
    ) -> ObjectList:
        """The next list."""
        self.calls.append(Call("list", resource_version, limit, continue_, at=anyio.current_time()))
        await anyio.lowlevel.checkpoint()
        if not self.lists:
            await anyio.sleep_forever()
        answer = self.lists.popleft()
        if isinstance(answer, Exception):
            raise answer
        return decode.object_list(answer)

    @asynccontextmanager
    async def watch(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str,
        timeout: float,  # noqa: ASYNC109 - the server's
        initial_events: bool = False,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """The next stream."""
        now = anyio.current_time()
        self.calls.append(
            Call(
                "watch",
                resource_version,
                initial_events=initial_events,
                timeout=timeout,
                at=now,
            )
        )
        await anyio.lowlevel.checkpoint()
        stream = self.streams.popleft() if self.streams else [HOLD]
        if isinstance(stream, Exception):
            raise stream
        self.open_streams += 1
        try:
            async with aclosing(_played(stream)) as events:
                yield events
        finally:
            self.open_streams -= 1

    async def versions(self) -> ServerVersions:
        """A version."""
        return ServerVersions("v1.34.4")

    async def time(self) -> datetime | None:
        """None."""
        return None

    async def identity(self) -> str:
        """Always the same."""
        return "scripted"

    async def close(self) -> None:
        """Notes it."""
        self.closed = True


async def _played(stream: Sequence[Step]) -> AsyncGenerator[WatchEvent]:
    for step in stream:
        match step:
            case bytes():
                yield decode.watch_event(step.rstrip(b"\n"))
            case Exception():
                raise step
            case _ if step == HOLD:
                await anyio.sleep_forever()
            case _:
                await anyio.sleep(float(step))


class FakeListWatch:
    """A working API server on a `FakeCluster`, with switches for what can go wrong.

    Attributes:
        refuse: Each request by these kinds is answered with the error; None means all kinds.
        muted: Requests by these verbs (list, watch, stream, version) are never answered.
        slow: Seconds that requests by these kinds take.
        breaks: Raised by each request: a fault of ours, not of a spoke.
        requests: Each request's verb, kind and version.
        now: What its clock says.
        unnamed: Raised when it is asked which one it is.
    """

    def __init__(self, cluster: FakeCluster, *, version: str = "v1.34.4") -> None:
        self.cluster = cluster
        self.version = version
        self.refuse: dict[Kind | None, SpokeError] = {}
        self.muted: set[str] = set()
        self.slow: dict[Kind | None, float] = {}
        self.breaks: Exception | None = None
        self.requests: list[tuple[str, Kind | None, str]] = []
        self.closed = False
        self.now: datetime | None = None
        self.unnamed: SpokeError | None = None
        self._speaks = anyio.Event()
        self._speaks.set()
        self._cut = anyio.Event()

    def fall_silent(self) -> None:
        """As a stopped process does: nothing is refused, nothing is answered."""
        self._speaks = anyio.Event()

    def speak(self) -> None:
        """Answers everything that was asked meanwhile."""
        self._speaks.set()

    def cut(self) -> None:
        """Ends each open stream, in good order."""
        self._cut.set()
        self._cut = anyio.Event()

    async def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str = "",
        continue_: str = "",
        limit: int | None = None,
    ) -> ObjectList:
        """All objects in one page."""
        await self._answer("list", kind, resource_version)
        return decode.object_list(
            page(self.cluster.version, *self.cluster.objects(kind, namespace))
        )

    @asynccontextmanager
    async def watch(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str,
        timeout: float,  # noqa: ASYNC109 - the server's
        initial_events: bool = False,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """A stream that ends when it is cut."""
        verb = "stream" if initial_events else "watch"
        await self._answer(verb, kind, resource_version)
        if not initial_events and int(resource_version) < self.cluster.compacted:
            raise ExpiredError("too old resource version")
        send, receive = anyio.create_memory_object_stream[WatchEvent](100)
        failed: RollgraphError | None = None
        async with anyio.create_task_group() as tasks, receive:
            tasks.start_soon(self._feed, send, kind, namespace, resource_version, initial_events)
            try:
                yield receive
            except RollgraphError as error:
                failed = error  # raised below, so that the task group does not wrap it
            tasks.cancel_scope.cancel()
        if failed is not None:
            raise failed

    async def versions(self) -> ServerVersions:
        """The version."""
        await self._answer("version", None, "")
        return ServerVersions(self.version, "v1.8.3")

    async def time(self) -> datetime | None:
        """The clock's."""
        await self._answer("time", None, "")
        return self.now

    async def identity(self) -> str:
        """The cluster's."""
        await anyio.lowlevel.checkpoint()
        if self.unnamed is not None:
            raise self.unnamed
        return self.cluster.uid

    async def close(self) -> None:
        """Notes it."""
        self.closed = True

    async def _answer(self, verb: str, kind: Kind | None, version: str) -> None:
        self.requests.append((verb, kind, version))
        await anyio.lowlevel.checkpoint()
        await self._speaks.wait()
        if verb in self.muted:
            await anyio.sleep_forever()
        await anyio.sleep(self.slow.get(kind, 0))
        if self.breaks is not None:
            raise self.breaks
        for error in (self.refuse.get(kind), self.refuse.get(None)):
            if error is not None:
                raise error

    async def _feed(self, send: Any, kind: Kind, namespace: str, version: str, init: bool) -> None:
        async with send, anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_when_cut, tasks, self._cut)
            since = int(version or 0)
            if init:
                since = self.cluster.version
                for held in self.cluster.objects(kind, namespace):
                    await self._send(send, line("ADDED", held))
                await self._send(send, bookmark(since, end=True))
            async for type_, held in self.cluster.changes(kind, namespace, since):
                await self._send(send, line(type_, held))

    async def _send(self, send: Any, text: bytes) -> None:
        await self._speaks.wait()
        await send.send(decode.watch_event(text.rstrip(b"\n")))

    async def _end_when_cut(self, tasks: Any, cut: anyio.Event) -> None:
        await cut.wait()
        tasks.cancel_scope.cancel()
