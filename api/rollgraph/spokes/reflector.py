"""Keeps a store in step with one kind of one spoke: list, then watch, for ever.

The rules are those of client-go's `tools/cache/reflector.go`, read in 2026-07; where this one
differs, a comment says why. It knows no HTTP. In short:

- First a WatchList: one stream that brings all objects, a mark, then the changes. A server that
  refuses it gets a LIST and then a watch.
- A watch goes on from the last resourceVersion. It is restarted from there after any failure but
  those that say that the version is of no use (410), which need a new list.
- Nothing is retried without a wait, except what the server ended in the normal way.
"""

from collections.abc import AsyncIterator
from random import Random

import anyio
import structlog

from rollgraph.core.errors import (
    ExpiredError,
    ForbiddenError,
    NotInstalledError,
    RollgraphError,
    ServerError,
    SpokeError,
    TooLargeVersionError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.feed.checkpoints import Reached
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import WatchEvent
from rollgraph.core.refusals import refusal
from rollgraph.ports import ListWatch
from rollgraph.spokes.backoff import Backoff
from rollgraph.spokes.connection import Connection
from rollgraph.spokes.gate import Gate
from rollgraph.spokes.incoming import delivered
from rollgraph.spokes.initial import InitialList, Sink
from rollgraph.spokes.watchstate import WatchState

# Seconds. Random, so that the watches of a fleet do not all end at once; client-go's numbers.
WATCH_AT_LEAST = 300.0
# A watch that ends sooner has not really been one. client-go lets it pass if it brought an event;
# here it waits all the same, so that a proxy that cuts each stream after one event is no hot loop.
VERY_SHORT = 1.0
# For so long a server that says 500 is asked to go on from the same version (an etcd without a
# leader heals in seconds); after that the version itself may be the trouble.
SERVER_ERRORS_FOR = 30.0
# The same answer that makes no sense, so many times from the same version, will not get better.
UNREADABLE_TIMES = 3
# A 410 of the watch and one of the list after it are answered at once; after that it is a server
# that calls each version too old, the ones that it has just given, too.
EXPIRED_TIMES = 2
# What an operator has to repair is looked at again after so many seconds at first, so that the
# repair shows at once, and then each 30 to 60.
FORBIDDEN_FIRST = 2.0
UNAUTHENTICATED_FIRST = 5.0
NOT_INSTALLED_EVERY = 30.0
# An API server that has just started can say 404 for a kind whose CRD it has not read yet. Only the
# second 404, half a minute later, is believed so far as to forget the objects.
NOT_INSTALLED_TIMES = 2

# A server that starts again between two probes is back before they saw it gone, and its watches
# would sit out their waits. But a load balancer that lets probes pass and closes each watch must
# not be asked after each probe: so once for each stream that worked, and else once in 30 s.
WAKE_EVERY = 30.0

_log = structlog.get_logger(__name__)


class Reflector:
    """Reflects one kind, of one namespace or all, into a sink.

    Args:
        state: Says what is watched; told how it goes.
        connection: The way to the API server.
        sink: Where the objects go.
        gate: Where full lists queue.
        rng: Chance for time-outs and waits.
    """

    def __init__(
        self, state: WatchState, connection: Connection, sink: Sink, gate: Gate, rng: Random
    ) -> None:
        self.state = state
        self._connection = connection
        self._sink = sink
        self._rng = rng
        self._initial = InitialList(state, sink, gate)
        self._backoff = Backoff(rng)
        # Of its own: an API server that has just started says 429 ("storage is (re)initializing")
        # and 503 for some seconds, after the waits for it to start have grown long.
        self._busy = Backoff(rng)
        self._forbidden = Backoff(rng, first=FORBIDDEN_FIRST)
        self._unauthenticated = Backoff(rng, first=UNAUTHENTICATED_FIRST)
        self._attempt = anyio.CancelScope()
        self._waiting = False
        self._woken_at = -WAKE_EVERY
        self._renewed = False
        self._resumed = False
        self._expired = 0
        self._not_installed = 0
        self._unreadable = 0
        self._server_errors_since: float | None = None
        self._log = _log.bind(kind=str(state.kind), namespace=state.namespace)

    @property
    def reached(self) -> Reached | None:
        """How far the sink is in step; None while it needs a full list."""
        state = self.state
        if self._initial.needed or not state.resource_version:
            return None
        return Reached(state.kind, state.namespace, state.resource_version)

    def resume(self, resource_version: str) -> None:
        """The sink has all up to a version: begins there, and without a list."""
        self._initial.needed = False
        self._resumed = True
        self.state.resumed(resource_version)

    async def run(self) -> None:
        """Reflects until cancelled."""
        while True:
            wait = 0.0
            with anyio.CancelScope() as self._attempt:
                wait = await self._try()
            self._waiting = True
            with anyio.CancelScope() as self._attempt:
                await anyio.sleep(wait)
            self._waiting = False

    def wake(self, silent_since: float | None) -> None:
        """The server has just answered a probe: whoever waits for it need not any longer.

        After a silence a stream that has brought nothing since may be half-open, and is ended, too.
        It goes on from its version. A LIST on its way is let be: one that takes longer than a
        server's hiccups would never arrive.

        Args:
            silent_since: The moment of the first unanswered probe before this answer, if any was.
        """
        if self._waiting:
            now = anyio.current_time()
            unreachable = now - self._woken_at >= WAKE_EVERY and self.state.unreachable
            if silent_since is not None or unreachable:
                self._woken_at = now
                self._attempt.cancel()
            return
        silent = silent_since is not None and self.state.active_at < silent_since
        if silent and not self._initial.paging:
            self.state.failed(UnreachableError("silent for as long as the server was"))
            self._attempt.cancel()

    async def _try(self) -> float:
        """One connection's life. Returns the seconds to wait before the next."""
        listwatch: ListWatch | None = None
        try:
            listwatch = await self._connection.get()
            await self._list_and_watch(listwatch)
        except RollgraphError as error:
            return await self._after(error, listwatch)
        return 0.0

    async def _list_and_watch(self, listwatch: ListWatch) -> None:
        """Brings a full list if one is needed, then changes, until the stream ends."""
        timeout = WATCH_AT_LEAST * (1 + self._rng.random())
        started = anyio.current_time()
        if self._initial.needed and self._initial.by_stream:
            async with self._initial.stream(listwatch, timeout) as events:
                if events is not None:
                    await self._follow(events)
                    return self._ended(started)
        if self._initial.needed:
            await self._initial.pages(listwatch)
            started = anyio.current_time()
        async with listwatch.watch(
            self.state.kind,
            namespace=self.state.namespace,
            resource_version=self.state.resource_version,
            timeout=timeout,
        ) as events:
            await self._follow(events)
        return self._ended(started)

    async def _follow(self, events: AsyncIterator[WatchEvent]) -> None:
        """Takes in changes. There is no await between reading one and the sink.

        An API server drops a watcher that reads too slowly (kubernetes#121438).
        """
        self.state.opened()
        self._renewed = False
        async for event in events:
            self._take_in(event)
            self._all_is_well()

    def _take_in(self, event: WatchEvent) -> None:
        self.state.received(event.type)
        if event.type == "ERROR":
            raise self._refused(event)
        if event.type == "BOOKMARK":
            version = decode.bookmark(event.object).resource_version
            self._refuse_older(version)
            self.state.bookmark(version)
            return
        delivery = delivered(self.state.kind, event)
        if delivery is not None:
            self._refuse_older(delivery.object.metadata.resource_version)
            self._sink.apply(delivery)
            self.state.event(delivery.object.metadata.resource_version)

    def _refuse_older(self, version: str) -> None:
        """Raises if the first version after another worker's is from before that one.

        A server that was set up anew, or from a backup, waits in silence until it comes to a
        version that it does not know; its bookmarks tell. Nothing else does.
        """
        here = self.state.resource_version
        if self._resumed and version.isdigit() and here.isdigit() and int(version) < int(here):
            self._resumed = False
            raise ExpiredError(f"the server is at version {version}, and was at {here} before")
        self._resumed = self._resumed and not version

    def _refused(self, event: WatchEvent) -> SpokeError:
        """The error in an ERROR event.

        A 500 of another reason than InternalError can mean that a change was lost, and only a list
        can tell: so it is with StoreReadError, after a corrupt object was deleted (KEP-3926).
        """
        status = decode.status(bytes(event.object))
        error = refusal(status.code, status)
        if isinstance(error, ServerError) and status.reason != "InternalError":
            self._initial.needed = True
        return error

    def _ended(self, started: float) -> None:
        if anyio.current_time() - started < VERY_SHORT:
            raise UnreachableError("the server closed a watch as soon as it was open")

    def _all_is_well(self) -> None:
        self._expired = self._not_installed = self._unreadable = 0
        self._server_errors_since = None

    async def _after(self, error: RollgraphError, listwatch: ListWatch | None) -> float:
        """Draws the conclusions from an error. Returns the seconds to wait."""
        match error:
            case ExpiredError() | TooLargeVersionError():
                return self._after_expired(error)
            case UnauthenticatedError() if listwatch is not None and not self._renewed:
                return await self._renew(error, listwatch)
            case _:
                return self._after_failure(error)

    def _after_failure(self, error: RollgraphError) -> float:
        if self.state.connected:
            self._woken_at = -WAKE_EVERY
        self.state.failed(error)
        self._log.warning("watch_failed", error=str(error), problem=type(error).__name__)
        match error:
            case UnauthenticatedError():
                self._renewed = False  # the next refusal may be of newer credentials: look again
                return self._unauthenticated.next()
            case ForbiddenError():
                return self._forbidden.next()
            case NotInstalledError():
                return self._after_not_installed()
            case TooManyRequestsError():
                return self._busy.next(at_least=error.retry_after)
            case UnreadableError():
                self._unreadable += 1
                self._initial.needed |= self._unreadable >= UNREADABLE_TIMES
            case ServerError():
                self._after_server_error()
                return self._busy.next(at_least=error.retry_after)
            case _:
                pass
        return self._backoff.next()

    def _after_expired(self, error: RollgraphError) -> float:
        """Lists anew, at once: that is how the watch of a quiet kind ends without bookmarks."""
        self._expired += 1
        if not self._initial.expired() or self._expired > EXPIRED_TIMES:
            self.state.failed(error)
            return self._backoff.next()
        self.state.expired()
        self._log.info("watch_expired", resource_version=self.state.resource_version)
        return 0.0

    async def _renew(self, error: RollgraphError, listwatch: ListWatch) -> float:
        self._renewed = True
        try:
            await self._connection.renew(listwatch)
        except RollgraphError as worse:
            return await self._after(worse, None)
        self._log.info("credentials_renewed", error=str(error))
        return 0.0

    def _after_not_installed(self) -> float:
        self._not_installed += 1
        if self._not_installed >= NOT_INSTALLED_TIMES:
            self._sink.replace([])
            self._initial.needed = True
        return NOT_INSTALLED_EVERY * (0.75 + 0.25 * self._rng.random())

    def _after_server_error(self) -> None:
        now = anyio.current_time()
        if self._server_errors_since is None:
            self._server_errors_since = now
        elif now - self._server_errors_since > SERVER_ERRORS_FOR:
            self._initial.needed = True
