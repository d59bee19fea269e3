"""What a reflector knows of itself, for people and for the cluster's verdict."""

from collections.abc import Callable
from datetime import datetime

import anyio

from rollgraph.core.connection import ConnectionStatus, Problem, WatchView
from rollgraph.core.errors import (
    ConfigError,
    ForbiddenError,
    NotInstalledError,
    RollgraphError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.refs import Kind
from rollgraph.ports import Clock, WatchObserver

# After a failure a stream has to prove itself: a load balancer that accepts each watch and closes
# it at once must not look like a connection that comes and goes. The first event proves it, or
# having lasted as long as the shortest watch that counts as one.
PROBATION = 1.0
# Seconds. A watch that begins at another worker's version brings first, at once and without a
# pause, all that happened since; only a bookmark says where that ends, and comes each minute. So a
# pause says it, too, or having lasted for as long as reading all that a server remembers takes.
PAUSE = 0.5
CAUGHT_UP_WITHIN = 3.0

_PROBLEMS: dict[type[RollgraphError], Problem] = {
    UnreachableError: Problem.UNREACHABLE,
    # Something answered, but not an API server: a load balancer's page, half a line.
    UnreadableError: Problem.UNREACHABLE,
    UnauthenticatedError: Problem.UNAUTHENTICATED,
    ForbiddenError: Problem.FORBIDDEN,
    NotInstalledError: Problem.NOT_INSTALLED,
    TooManyRequestsError: Problem.THROTTLED,
    ConfigError: Problem.MISCONFIGURED,
}


def problem_of(error: RollgraphError) -> Problem:
    """What an error means for a watch."""
    return _PROBLEMS.get(type(error), Problem.SERVER_ERROR)


class WatchState:
    """The state of one watch. The reflector writes it, the worker reads it.

    Args:
        kind: What is watched.
        namespace: "" for all namespaces.
        clock: The time of day for the view.
        count: How many objects are held.
        changed: Called when a reader should look at once: not for mere progress.
        observer: Hears how the watch fares.

    Attributes:
        active_at: When the server last sent anything on this watch, in the event loop's time.
        reconnects: Streams that were opened after a failure.
    """

    def __init__(
        self,
        kind: Kind,
        namespace: str,
        clock: Clock,
        *,
        count: Callable[[], int] = lambda: 0,
        changed: Callable[[], None] = lambda: None,
        observer: WatchObserver | None = None,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self.resource_version = ""
        self.synced = False
        self.reconnects = 0
        self.active_at = -1.0
        self._clock = clock
        self._count = count
        self._changed = changed
        self._observer = observer or WatchObserver()
        # Why the next full list is read.
        self._cause = "START"
        self._status = ConnectionStatus.SYNCING
        self._since = clock.now()
        self._error: RollgraphError | None = None
        self._relists = 0
        self._retries = 0
        self._trusted_at: float | None = None
        # Since another worker's watch ended: until when this one has to have caught up.
        self._behind = False
        self._caught_up_by = 0.0
        self._last_event_at: datetime | None = None
        self._last_bookmark_at: datetime | None = None

    @property
    def settled(self) -> bool:
        """True once there is nothing to wait for: a full list is held, or cannot be had now."""
        return self.synced or self._status is ConnectionStatus.DISCONNECTED

    @property
    def connected(self) -> bool:
        """True while a stream is open that has proved itself."""
        self.settle()
        return self._status is ConnectionStatus.CONNECTED

    @property
    def unreachable(self) -> bool:
        """True if the last attempt found no server."""
        return isinstance(self._error, UnreachableError)

    @property
    def probation(self) -> float | None:
        """When, in the event loop's time, an open stream will have proved itself."""
        return self._trusted_at

    def expired(self) -> None:
        """The server has forgotten the version: a full list comes next."""
        self._cause = "EXPIRED"
        self.syncing()

    def syncing(self) -> None:
        """The server is sending a full list; what is held may be old until it is complete."""
        self._move(ConnectionStatus.SYNCING)
        self._changed()

    def alive(self) -> None:
        """Something came from the server."""
        self.active_at = anyio.current_time()

    def listed(self, resource_version: str) -> None:
        """A full list is held."""
        self._observer.listed(self.kind, self._cause)
        self._relists += self.synced
        self.synced, self._behind = True, False
        self.resource_version = resource_version
        self._changed()

    def resumed(self, resource_version: str) -> None:
        """All up to a version is held, though not by this watch."""
        self.synced = self._behind = True
        self.resource_version = resource_version

    def opened(self) -> None:
        """A stream of changes is open."""
        self.alive()
        if self._status is ConnectionStatus.CONNECTED:
            return
        if self._behind:
            self._caught_up_by = anyio.current_time() + CAUGHT_UP_WITHIN
            self._wait_for_pause()
            self._changed()
            return
        if self._error is None:
            self._connect()
        else:
            self._trusted_at = anyio.current_time() + PROBATION
            self._changed()

    def received(self, type: str) -> None:
        """Something came on a stream of changes."""
        self._observer.received(self.kind, type)

    def event(self, resource_version: str) -> None:
        """An object was delivered; "" for one that does not move the version, or has none."""
        self._progress(resource_version)
        self._last_event_at = self._clock.now()
        if self._behind:
            self._wait_for_pause()
        else:
            self._proved()

    def bookmark(self, resource_version: str) -> None:
        """The server told how far it has come."""
        self._progress(resource_version)
        self._last_bookmark_at = self._clock.now()
        self._proved()

    def failed(self, error: RollgraphError) -> None:
        """An attempt failed, or the stream broke."""
        self._trusted_at = None
        self._retries += 1
        self._error = error
        problem = problem_of(error)
        self._observer.broken(self.kind, problem)
        if self.synced:
            self._cause = problem
        self._move(ConnectionStatus.DISCONNECTED)
        self._changed()

    def settle(self) -> None:
        """Ends the probation of a stream that has lasted long enough."""
        if self._trusted_at is not None and anyio.current_time() >= self._trusted_at:
            self._connect()

    def view(self, doubt: RollgraphError | None = None) -> WatchView:
        """The state now.

        Args:
            doubt: Why the spoke as a whole is not believed to be alive, whatever the watch says.
        """
        status, error = self._status, self._error
        if status is not ConnectionStatus.DISCONNECTED:
            error = doubt  # an earlier error explains nothing any more
            status = ConnectionStatus.DISCONNECTED if doubt is not None else status
        return WatchView(
            kind=self.kind,
            namespace=self.namespace,
            status=status,
            since=self._since,
            problem=problem_of(error) if error is not None else None,
            error=str(error) if error is not None else "",
            resource_version=self.resource_version,
            objects=self._count(),
            relists=self._relists,
            retries=self._retries,
            synced=self.synced,
            last_event_at=self._last_event_at,
            last_bookmark_at=self._last_bookmark_at,
        )

    def _progress(self, resource_version: str) -> None:
        self.alive()
        if resource_version:
            self.resource_version = resource_version

    def _proved(self) -> None:
        if self._trusted_at is not None:
            self._connect()

    def _wait_for_pause(self) -> None:
        self._trusted_at = min(anyio.current_time() + PAUSE, self._caught_up_by)

    def _connect(self) -> None:
        self._behind = False
        self.reconnects += self._error is not None
        self._trusted_at = None
        self._error = None
        self._retries = 0
        self._move(ConnectionStatus.CONNECTED)
        self._changed()

    def _move(self, status: ConnectionStatus) -> None:
        if status is not self._status:
            self._status = status
            self._since = self._clock.now()
