"""Proof of life of an API server, apart from its watches.

A watch that brings nothing looks the same on a quiet cluster and on a server that was stopped, or
behind a link that fails without a word (kubernetes_asyncio#360). So the server is asked for its
version every few seconds, on a connection of its own.
"""

from collections.abc import Callable

import anyio

from rollgraph.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    NotInstalledError,
    RollgraphError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.ports import ListWatch, ServerVersions

# Seconds. A server that falls silent right after an answer is noticed after both: within 10.
PROBE_EVERY = 5.0
PROBE_WITHIN = 4.0

# These are answers of a living API server, whatever they say of our rights.
_ANSWERS = (
    UnauthenticatedError,
    ForbiddenError,
    NotInstalledError,
    InvalidRequestError,
    TooManyRequestsError,
)


async def probe(listwatch: ListWatch) -> ServerVersions | None:
    """Asks the server for its version; None if it answers but does not tell.

    Raises what explains that it does not live.
    """
    try:
        with anyio.fail_after(PROBE_WITHIN):
            return await listwatch.versions()
    except TimeoutError as error:
        raise UnreachableError(f"no answer within {PROBE_WITHIN:.0f} s") from error
    except _ANSWERS:
        return None


class Heartbeat:
    """Asks again and again.

    Args:
        current: The present way to the server.
        alive: Called after an answer, with the moment (in the event loop's time) of the first
            question that was not answered before it, if there was one.
        silent: Called after no answer, with the reason and the moment of the question.
    """

    def __init__(
        self,
        current: Callable[[], ListWatch],
        *,
        alive: Callable[[ServerVersions | None, float | None], None],
        silent: Callable[[RollgraphError, float], None],
    ) -> None:
        self._current = current
        self._alive = alive
        self._silent = silent

    async def run(self) -> None:
        """Asks until cancelled."""
        silent_since: float | None = None
        while True:
            asked = anyio.current_time()
            try:
                versions = await probe(self._current())
            except RollgraphError as error:
                silent_since = asked if silent_since is None else silent_since
                self._silent(error, asked)
            else:
                self._alive(versions, silent_since)
                silent_since = None
            await anyio.sleep_until(asked + PROBE_EVERY)
