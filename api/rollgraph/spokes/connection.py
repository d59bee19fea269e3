"""The one way from a worker and its reflectors to the API server of their spoke."""

import anyio

from rollgraph.ports import ListWatch, Spoke


class Connection:
    """A spoke's `ListWatch`, replaced when its credentials are no longer accepted.

    Use as a context manager: leaving it closes whatever is open.
    """

    def __init__(self, spoke: Spoke) -> None:
        self._spoke = spoke
        self._lock = anyio.Lock()
        self._current: ListWatch | None = None
        self._previous: ListWatch | None = None

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        # Shielded: a connection that is left open because the worker was cancelled leaks for ever.
        with anyio.CancelScope(shield=True):
            for listwatch in (self._previous, self._current):
                if listwatch is not None:
                    await listwatch.close()
        self._previous = self._current = None

    @property
    def current(self) -> ListWatch | None:
        """The present way to the server, if it is open; it may be about to be renewed."""
        return self._current

    async def get(self) -> ListWatch:
        """The present way to the server, opened if need be; raises what `Spoke.open` raises."""
        async with self._lock:
            if self._current is None:
                self._current = await self._spoke.open()
            return self._current

    async def renew(self, refused: ListWatch) -> ListWatch:
        """A way with new credentials, unless another reflector has already got one.

        The refused one stays open until the next renewal: an API server checks credentials when a
        request starts, so the watches that it carries still live.
        """
        async with self._lock:
            if self._current is not None and self._current is not refused:
                return self._current
            fresh = await self._spoke.open()
            stale, self._previous = self._previous, self._current
            self._current = fresh
            if stale is not None:
                await stale.close()
            return fresh
