"""One spoke's API server, as those see it who watch."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from rollgraph.core.objects.decode import ObjectList, WatchEvent
from rollgraph.core.refs import Kind


class ServerVersions(msgspec.Struct, frozen=True):
    """What runs on a spoke; "" where it cannot be known."""

    kubernetes: str = ""
    argo_rollouts: str = ""


class ListWatch(Protocol):
    """One spoke's API server, as a reflector sees it.

    Every method raises a `core.errors.SpokeError` for anything that the server or the network does,
    and `UnreadableError` for an answer that is no answer; nothing else. Each call is one request:
    retrying, waiting and falling back are the caller's. `namespace` "" means all namespaces.
    """

    async def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str = "",
        continue_: str = "",
        limit: int | None = None,
    ) -> ObjectList:
        """One page of a list. `resource_version` "" reads the newest state, "0" whatever the server
        has cached.

        With a limit the server answers at most so many items and a token for the next call;
        without, all of them.
        """

    def watch(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str,
        timeout: float,
        initial_events: bool = False,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """A stream of changes after `resource_version`.

        The stream ends by itself when the server closes it, which it is asked to do after `timeout`
        seconds. A dead connection ends it with `UnreachableError`, at the latest when the adapter's
        read time-out has passed. ERROR events are yielded, not raised. With `initial_events` the
        server first sends each existing object as ADDED, then a BOOKMARK annotated `k8s.io/initial-
        events-end` (WatchList); a server without WatchList refuses with `InvalidRequestError`.
        Leaving the context closes the connection.
        """

    async def versions(self) -> ServerVersions:
        """Asks the server for its version. Cheap: it also serves as proof of life."""

    async def time(self) -> datetime | None:
        """The server's time of day, to the second; None if it does not tell."""

    async def identity(self) -> str:
        """Tells this cluster, and what is asked of it, from any other.

        Who finds the same one may go on at a version that somebody else's watch had come to.
        """

    async def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""


class OpenListWatch(Protocol):
    """Opens one spoke's API server."""

    async def __call__(self) -> ListWatch:
        """Opens it.

        Raises `UnauthenticatedError` if credentials cannot be had, `ConfigError` if the description
        is wrong.
        """
