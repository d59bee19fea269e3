"""Following a stream for as long as it takes, though connections break."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import anyio
import orjson

from rollgraph.core.errors import BadRequestError, RemoteError
from rollgraph.server.remote.watching.answers import ForbiddenStreamError, data
from rollgraph.spokes.backoff import Backoff

# Seconds. A gateway that is replaced is back within some, one whose node is lost within minutes;
# who waits for longer wants to know.
PATIENCE = 300.0
# Seconds between two attempts, before jitter.
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0

Told: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[bytes], AbstractAsyncContextManager[AsyncIterator[Told]]]
Hear: TypeAlias = Callable[[Told], Awaitable[None]]
Anew: TypeAlias = Callable[[], Awaitable[None]]


class Following:
    """One subscription.

    It goes on where it broke off, if the events have cursors; the server tells if it cannot.

    Args:
        ask: Subscribes.
        document: What is asked, with one field named `event`.
        variables: Of the document; `resumeAfter` is added.
        backoff: Between attempts.
        broken: Told why nothing is heard, and "" once something is again.
        patience: Seconds without a connection after which it is given up.
    """

    def __init__(
        self,
        ask: Ask,
        document: str,
        variables: dict[str, Any],
        backoff: Backoff,
        broken: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._ask = ask
        self._document = document
        self._variables = variables
        self._backoff = backoff
        self._broken = broken
        self._patience = patience
        self._cursor = ""
        # The present connection: since when it stands, and whether anything was told over it.
        self._since: float | None = None
        self._heard = False
        # Since when there is no good one.
        self._lost_at = 0.0

    async def run(self, hear: Hear, anew: Anew) -> None:
        """Passes on what is told, for ever.

        Args:
            hear: Gets each event.
            anew: Called before the state is told anew to who has heard of it before.

        Raises `RemoteError` if the server cannot be reached for longer than there is patience;
        `UnauthenticatedViewerError`, `BadRequestError` and `ForbiddenStreamError` if it refuses.
        """
        self._lost_at = anyio.current_time()
        while True:
            try:
                await self._listen(hear)
            except ForbiddenStreamError:
                raise
            except BadRequestError:
                if not self._cursor:
                    raise
                # A server of another version may not read the cursor: it is asked without.
                self._cursor = ""
                await anew()
                continue
            except RemoteError as error:
                self._note_end()
                if anyio.current_time() - self._lost_at > self._patience:
                    raise
                self._broken(str(error))
            await anyio.sleep(self._backoff.next())

    async def _listen(self, hear: Hear) -> None:
        self._since, self._heard = None, False
        async with self._ask(self._question()) as answers:
            self._since = anyio.current_time()
            self._broken("")
            async for answer in answers:
                told = data(answer)["event"]
                self._heard = True
                self._backoff.forget()
                await hear(told)
                self._cursor = told.get("cursor", "")
        raise RemoteError("the server ended the stream")

    def _note_end(self) -> None:
        """A connection that told something, or stood for a while, was a good one."""
        now = anyio.current_time()
        stood = self._since is not None and now - self._since > LONGEST_WAIT
        if self._heard or stood:
            self._lost_at = now

    def _question(self) -> bytes:
        variables = self._variables
        if self._cursor:
            variables = {**variables, "resumeAfter": self._cursor}
        return orjson.dumps({"query": self._document, "variables": variables})
