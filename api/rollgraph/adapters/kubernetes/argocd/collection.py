"""One collection of the hub's objects, kept in memory: listed once, then watched.

Simpler than the reflectors of spokes, and for a reason: there is one hub, its collections are
small, and a list costs little. Whatever looks wrong is listed anew.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Generic, Protocol, TypeAlias, TypeVar

import anyio
import msgspec
import structlog

from rollgraph.core.errors import (
    ExpiredError,
    RollgraphError,
    SpokeError,
    TooLargeVersionError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import ObjectList, WatchEvent
from rollgraph.core.objects.meta import Meta, Read
from rollgraph.core.refs import ObjectKey
from rollgraph.core.refusals import refusal

T = TypeVar("T")


class Api(Protocol):
    """An API server, of which any collection can be read; see `KubernetesListWatch`."""

    async def page(self, path: str, query: Mapping[str, str]) -> ObjectList:
        """One page of a list."""

    def stream(
        self, path: str, query: Mapping[str, str], timeout: float
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """A stream of changes."""

    async def close(self) -> None:
        """Closes every connection."""


Open: TypeAlias = Callable[[], Awaitable[Api]]

# client-go's page.
PAGE = 500
# Seconds. Random between this and twice as much, so that the watches do not all end at once.
WATCH_AT_LEAST = 300.0
# Seconds until the next attempt: at first, and at most; each stretched by chance up to twice. There
# is one hub, so it is asked more often than a fleet of spokes would be.
FIRST_WAIT, LONGEST_WAIT = 0.8, 15.0
# Nothing went wrong for so many seconds: the next failure is a new story, with a short wait. Not
# sooner, or a proxy that lets each watch begin and then cuts it would be asked each second.
FORGET_AFTER = 60.0
# Seconds. A watch that ends sooner has not really been one.
VERY_SHORT = 1.0

_log = structlog.get_logger(__name__)


class Query(msgspec.Struct, frozen=True):
    """What is watched.

    Attributes:
        kind: What to call it.
        path: Where it is on the API server.
        selector: Which of what is there.
    """

    kind: str
    path: str
    selector: dict[str, str] = {}


class _Named(Read, frozen=True):
    metadata: Meta


_named = msgspec.json.Decoder(_Named)


class Collection(Generic[T]):
    """Keeps the objects of a query in memory.

    While the hub is away the last answer is kept. An object that cannot be read is left out, with a
    line in the log.

    Args:
        query: What to watch.
        read: Makes of an object what is kept; raises `UnreadableError`.
        open: Opens the hub's API server, with fresh credentials.
        changed: Called after `revision` grew or `problem` changed.
        rng: Chance for waits.

    Attributes:
        revision: Grows whenever something of what is kept has changed.
        problem: Why it may be out of date, for a person; "" while it is kept up.
    """

    def __init__(
        self,
        query: Query,
        read: Callable[[msgspec.Raw], T],
        open: Open,
        changed: Callable[[], None],
        rng: Random,
    ) -> None:
        self.query = query
        self.revision = 0
        self.problem = ""
        self._read = read
        self._open = open
        self._changed = changed
        self._rng = rng
        self._version = ""
        self._wait = FIRST_WAIT
        self._failed_at = 0.0
        self._items: dict[ObjectKey, T] = {}

    @property
    def items(self) -> Mapping[ObjectKey, T]:
        """What there is, by namespace and name."""
        return self._items

    async def load(self) -> None:
        """Lists once; raises what keeps it from doing so."""
        async with self._opened() as api:
            await self._list(api)

    async def run(self) -> None:
        """Keeps the objects up until cancelled."""
        while True:
            try:
                async with self._opened() as api:
                    await self._keep(api)
            except RollgraphError as error:
                self._failed(error)
            await anyio.sleep(self._next_wait())

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Api]:
        api = await self._open()
        try:
            yield api
        finally:
            with anyio.CancelScope(shield=True):
                await api.close()

    async def _keep(self, api: Api) -> None:
        """Watches, for as long as the server ends each watch in the normal way."""
        while True:
            listed = not self._version
            if listed:
                await self._list(api)
            started = anyio.current_time()
            try:
                await self._watch(api)
            except (ExpiredError, TooLargeVersionError):
                self._version = ""
                if listed:  # a server that refuses the version that it has just given
                    raise
                continue
            if anyio.current_time() - started < VERY_SHORT:
                raise UnreachableError("the server closed a watch as soon as it was open")

    async def _list(self, api: Api) -> None:
        found: dict[ObjectKey, T] = {}
        token = ""
        while True:
            query = {**self.query.selector, "limit": str(PAGE)}
            page = await api.page(self.query.path, query | ({"continue": token} if token else {}))
            found |= dict(self._readable(page.items or ()))
            token = page.metadata.continue_
            if not token:
                break
        self._version = page.metadata.resource_version
        self._well()
        self._put(found)

    async def _watch(self, api: Api) -> None:
        query = {**self.query.selector, "resourceVersion": self._version}
        seconds = WATCH_AT_LEAST * (1 + self._rng.random())
        async with api.stream(self.query.path, query, seconds) as events:
            self._well()
            async for event in events:
                self._take_in(event)

    def _take_in(self, event: WatchEvent) -> None:
        if event.type == "ERROR":
            raise self._refused(event)
        if event.type == "BOOKMARK":
            self._version = decode.bookmark(event.object).resource_version
            return
        key, version = self._place(event.object)
        gone = event.type == "DELETED"
        found = {} if gone else dict(self._readable([event.object]))
        if found.get(key) != self.items.get(key):
            self._items.pop(key, None)
            self._items.update(found)
            self._grown()
        self._version = version

    def _refused(self, event: WatchEvent) -> SpokeError:
        self._version = ""  # whatever it is, a list tells what is right
        status = decode.status(bytes(event.object))
        return refusal(status.code, status)

    def _place(self, raw: msgspec.Raw) -> tuple[ObjectKey, str]:
        try:
            meta = _named.decode(raw).metadata
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._version = ""
            raise UnreadableError(f"an object without readable metadata: {error}") from None
        return ObjectKey(meta.namespace, meta.name), meta.resource_version

    def _readable(self, raws: "list[msgspec.Raw] | tuple[()]") -> Iterator[tuple[ObjectKey, T]]:
        for raw in raws:
            key, _ = self._place(raw)
            try:
                yield key, self._read(raw)
            except UnreadableError as error:
                _log.warning(
                    "argocd_object_unreadable",
                    kind=self.query.kind,
                    name=str(key),
                    error=str(error),
                )

    def _put(self, items: dict[ObjectKey, T]) -> None:
        if items != self._items or self.revision == 0:
            self._items = items
            self._grown()

    def _grown(self) -> None:
        self.revision += 1
        self._changed()

    def _well(self) -> None:
        if self.problem:
            _log.info("argocd_watched_again", kind=self.query.kind)
            self.problem = ""
            self._changed()

    def _failed(self, error: RollgraphError) -> None:
        if isinstance(error, UnreadableError):
            self._version = ""
        problem = words(error)
        if problem != self.problem:
            _log.warning(
                "argocd_not_watched", kind=self.query.kind, error=problem, kept=len(self.items)
            )
            self.problem = problem
            self._changed()

    def _next_wait(self) -> float:
        now = anyio.current_time()
        if now - self._failed_at > FORGET_AFTER:
            self._wait = FIRST_WAIT
        self._failed_at = now
        wait = self._wait * (1 + self._rng.random())
        self._wait = min(LONGEST_WAIT, self._wait * 2)
        return wait


def words(error: RollgraphError) -> str:
    """What went wrong; of an answer that makes no sense nothing, for it may hold a Secret."""
    return "the answer was not the API's" if isinstance(error, UnreadableError) else str(error)
