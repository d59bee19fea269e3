"""One operation whose answers go over HTTP, one by one."""

import anyio
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollgraph.access.caller import Caller
from rollgraph.server.admission import Admitted
from rollgraph.server.operation import Operation
from rollgraph.server.requestid import request_id
from rollgraph.server.streams.asking import Answer, expired
from rollgraph.server.streams.encodings import Encoding
from rollgraph.server.streams.lifetime import Known
from rollgraph.server.streams.means import Means
from rollgraph.server.streams.places import NoPlaceError
from rollgraph.server.streams.quiet import quietly

_log = structlog.get_logger(__name__)

# Seconds. What a client is told to wait if there is no place for it.
COME_BACK = 5


class StreamResponse(Response):
    """Answers until the operation has ended, its caller has gone, or the process stops.

    It serves once. All that runs for it runs within its call.

    Args:
        operation: What is asked.
        caller: Who asks.
        known: Tells who asks again, later on.
        encoding: How it is answered.
        means: What streams share.
    """

    def __init__(
        self,
        operation: Operation,
        caller: Caller,
        known: Known,
        encoding: Encoding,
        means: Means,
    ) -> None:
        super().__init__(headers=encoding.headers)
        del self.headers["content-length"]  # nobody knows
        self._operation = operation
        self._caller = caller
        self._known = known
        self._encoding = encoding
        self._means = means
        self._last = encoding.broken
        self._gone = False
        self._tasks = anyio.create_task_group()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of ASGI. Raises starlette's `HTTPException` if there is no place or no budget for it."""
        self._send = send
        try:
            with (
                self._means.places.one(self._caller.viewer, self._encoding.transport),
                self._means.drain.knows(self._tasks.cancel_scope.cancel),
            ):
                admitted = await self._means.asking.admit(self._operation, self._caller)
                await self._begin()
                await self._run(receive, request_id(scope), admitted)
        except NoPlaceError as error:
            raise HTTPException(429, str(error), {"Retry-After": str(COME_BACK)}) from error
        if self._gone:
            raise ClientDisconnect
        await self._body(self._last, more=False)

    async def _begin(self) -> None:
        headers = self.raw_headers
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # Headers alone are not sent: a client would not know that it is connected.
        await self._body(self._encoding.opening)

    async def _run(self, receive: Receive, name: str, admitted: Admitted) -> None:
        ask = self._means.asking.ask
        async with self._tasks:
            self._tasks.start_soon(quietly, self._listen, receive)
            self._tasks.start_soon(quietly, self._keep_alive)
            self._tasks.start_soon(quietly, self._wait_for_end_of_login)
            await ask(admitted, self._caller, name, self._tell)
            self._end()

    def _end(self) -> None:
        self._last = self._encoding.completed
        self._tasks.cancel_scope.cancel()

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._lose()

    async def _keep_alive(self) -> None:
        between = min(self._means.rules.heartbeat, self._encoding.most_between)
        while True:
            await anyio.sleep(between)
            await self._body(self._encoding.beat)

    async def _wait_for_end_of_login(self) -> None:
        await self._means.lifetime.end(self._caller.viewer, self._known)
        await self._tell(expired())
        self._end()

    async def _tell(self, answer: Answer) -> None:
        await self._body(self._encoding.next(answer))

    async def _body(self, body: bytes, *, more: bool = True) -> None:
        """Sends, or gives up a client that does not take it."""
        message = {"type": "http.response.body", "body": body, "more_body": more}
        with anyio.move_on_after(self._means.rules.patience) as waited:
            try:
                await self._send(message)
            except OSError:
                self._lose()
        if waited.cancelled_caught:
            _log.info("stream_too_slow", seconds=self._means.rules.patience)
            self._lose()

    def _lose(self) -> None:
        self._gone = True
        self._tasks.cancel_scope.cancel()
