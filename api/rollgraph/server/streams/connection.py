"""One WebSocket: `graphql-transport-ws` spoken with one client."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import structlog
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from rollgraph.access.caller import Caller
from rollgraph.core.errors import BrokerError, IdentityProviderError, UnauthenticatedViewerError
from rollgraph.server.failures import OperationRefusedError
from rollgraph.server.operation import Operation, address
from rollgraph.server.streams import messages
from rollgraph.server.streams.asking import (
    Answer,
    GoneError,
    expired,
    failed,
    refused,
)
from rollgraph.server.streams.lifetime import Known
from rollgraph.server.streams.means import Means
from rollgraph.server.streams.messages import BadMessageError, Closing, Code, Message
from rollgraph.server.streams.patience import Patience
from rollgraph.server.streams.places import TOO_MANY, NoPlaceError
from rollgraph.server.streams.quiet import quietly

_log = structlog.get_logger(__name__)

ENDED = "the login has ended: log in again"


class Connection:
    """A WebSocket that has been accepted, until its end.

    All that runs for it runs within `run`. It ends with the first `Closing` that anybody asks for,
    or when the client is gone.

    Args:
        socket: The WebSocket.
        identify: Tells who asks, given the payload of `connection_init`.
        means: What streams share.
        request_id: Names the connection in logs and in masked errors.
    """

    def __init__(
        self,
        socket: WebSocket,
        identify: Callable[[object], Awaitable[Caller]],
        means: Means,
        request_id: str,
    ) -> None:
        self._socket = socket
        self._identify = identify
        self._means = means
        self._rules = means.rules
        self._request_id = request_id
        self._patience = Patience(means.rules.patience)
        self._tasks = anyio.create_task_group()
        self._caller: Caller | None = None
        self._begun = False
        self._running: dict[str, anyio.CancelScope] = {}
        self._heard = 0.0
        self.closing: Closing | None = None

    async def run(self) -> None:
        """Speaks until the end."""
        self._heard = anyio.current_time()
        async with self._tasks:
            if self.closing is None:
                self._tasks.start_soon(quietly, self._wait_for_init)
                self._tasks.start_soon(quietly, self._keep_alive)
                self._tasks.start_soon(quietly, self._lose_patience)
                await self._listen()
            self._tasks.cancel_scope.cancel()
        if self.closing is not None and self._socket.client_state is WebSocketState.CONNECTED:
            with suppress(GoneError):
                await self._close(self.closing)

    def end(self, code: Code, reason: str) -> None:
        """Ends it; the first reason counts."""
        self.closing = self.closing or Closing(code, reason)
        self._tasks.cancel_scope.cancel()

    async def _listen(self) -> None:
        while (frame := await self._socket.receive())["type"] == "websocket.receive":
            self._heard = anyio.current_time()
            try:
                await self._heed(messages.read(frame))
            except BadMessageError as error:
                self.end(Code.BAD_REQUEST, str(error))
            except GoneError:
                return

    async def _heed(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._begin(message.payload)
            case "ping":
                await self._send(messages.PONG)
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._stop(message.id)
            case _:  # a pong, which has been noticed
                pass

    async def _begin(self, payload: Any) -> None:
        if self._begun:
            self.end(Code.INIT_AGAIN, "Too many initialisation requests")
            return
        if not isinstance(payload, dict | None):
            raise BadMessageError("connection_init: expected the payload to be an object, or none")
        self._begun = True
        try:
            caller = await self._identify(payload)
        except (UnauthenticatedViewerError, HTTPException) as error:
            reason = error.detail if isinstance(error, HTTPException) else str(error)
            _log.warning("token_refused", reason=reason)
            self.end(Code.FORBIDDEN, reason)
        except (IdentityProviderError, BrokerError) as error:
            _log.warning("caller_not_known", reason=str(error))
            self.end(Code.TRY_LATER, str(error))
        else:
            await self._send(messages.ACK)
            self._caller = caller
            known = partial(self._identify, payload)
            self._tasks.start_soon(quietly, self._wait_for_end_of_login, caller, known)

    async def _subscribe(self, message: Message) -> None:
        operation = message.operation()._replace(address=address(self._socket))
        if self._caller is None:
            self.end(Code.UNAUTHORIZED, "Unauthorized: connection_init comes first")
        elif message.id in self._running:
            self.end(Code.TAKEN, f"Subscriber for {message.id} already exists")
        elif len(self._running) >= self._rules.per_connection:
            most = self._rules.per_connection
            said = f"{most} operations go on here already: complete some, or connect again"
            await self._send_error(message.id, failed(said, TOO_MANY))
        else:
            scope = self._running[message.id] = anyio.CancelScope()
            asked = (message.id, scope, operation, self._caller)
            self._tasks.start_soon(quietly, self._operate, *asked)

    def _stop(self, id_: str) -> None:
        scope = self._running.pop(id_, None)
        if scope is not None:
            scope.cancel()

    async def _operate(
        self, id_: str, scope: anyio.CancelScope, operation: Operation, caller: Caller
    ) -> None:
        """Answers one operation. The last message frees its id, unless the client has done so."""
        opening = messages.opening(id_)

        def freed() -> bool:
            # The id may stand for another by now.
            mine = self._running.get(id_) is scope
            if mine:
                del self._running[id_]
            return mine

        async def tell(answer: Answer) -> None:
            if answer.refused or answer.expired:
                if freed():
                    await self._send_error(id_, answer)
                if answer.expired:
                    self.end(Code.FORBIDDEN, ENDED)
            elif self._running.get(id_) is scope:
                await self._send(messages.next_(opening, answer.json()))

        with suppress(GoneError), scope:
            try:
                with self._means.places.one(caller.viewer, "websocket"):
                    asking = self._means.asking
                    admitted = await asking.admit(operation, caller)
                    await asking.ask(admitted, caller, self._request_id, tell)
            except NoPlaceError as error:
                await tell(failed(str(error), TOO_MANY))
            except OperationRefusedError as error:
                await tell(refused(error))
            if freed():
                await self._send(messages.complete(id_))

    async def _wait_for_init(self) -> None:
        await anyio.sleep(self._rules.init_timeout)
        if not self._begun:
            self.end(Code.INIT_TIMEOUT, "Connection initialisation timeout")

    async def _wait_for_end_of_login(self, caller: Caller, known: Known) -> None:
        await self._means.lifetime.end(caller.viewer, known)
        for id_ in [*self._running]:
            self._stop(id_)
            with suppress(GoneError):
                await self._send_error(id_, expired())
        self.end(Code.FORBIDDEN, ENDED)

    async def _keep_alive(self) -> None:
        """Pings, so that no proxy takes a quiet connection for a dead one; and ends dead ones."""
        silence = self._rules.heartbeat + self._rules.patience
        while True:
            await anyio.sleep(self._rules.heartbeat)
            if anyio.current_time() - self._heard > silence:
                self.end(Code.GOING_AWAY, "no pong")
            elif self._caller is not None:  # before the ack a client expects nothing
                with suppress(GoneError):
                    await self._send(messages.PING)

    async def _lose_patience(self) -> None:
        """Ends the connection of a client that does not take what is sent."""
        await self._patience.end()
        # A close frame would wait behind the rest: the connection breaks.
        _log.info("stream_too_slow", seconds=self._rules.patience)
        self._tasks.cancel_scope.cancel()

    async def _send_error(self, id_: str, answer: Answer) -> None:
        await self._send(messages.error(id_, answer.errors))

    async def _send(self, message: bytes) -> None:
        """Sends. Raises `GoneError`, and ends it, if the client is not there any more."""
        try:
            with self._patience:
                await self._socket.send({"type": "websocket.send", "text": message.decode()})
        except (WebSocketDisconnect, RuntimeError) as error:
            self._tasks.cancel_scope.cancel()
            raise GoneError from error

    async def _close(self, closing: Closing) -> None:
        with anyio.move_on_after(self._rules.patience):
            try:
                await self._socket.close(closing.code, closing.sent)
            except (WebSocketDisconnect, RuntimeError) as error:
                raise GoneError from error
