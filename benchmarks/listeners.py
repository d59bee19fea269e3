"""WebSockets of many clients in one process, which do little more than note when something came.

A client of a library would take longer to read a message than the server to send it, on a machine
where both share two cores.
"""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import orjson

SUBPROTOCOL = "graphql-transport-ws"
PING = b'{"type":"ping"}'

Heard = Callable[["Listener", float, bytes], None]
_TEXT, _MASKED, _SHORT, _LONG = 0x81, 0x80, 126, 127


class Listener(asyncio.Protocol):
    """One client.

    Args:
        number: Which of many it is.
        url: Where the server is.
        heard: Told each message, and when it came.
        subprotocol: What is spoken; "" for nothing in particular.
    """

    def __init__(self, number: int, url: str, heard: Heard, subprotocol: str = "") -> None:
        self.number = number
        self._url = urlsplit(url)
        self._heard = heard
        self._subprotocol = subprotocol
        self._buffer = b""
        self._open = asyncio.get_running_loop().create_future()
        self._transport: asyncio.WriteTransport | None = None

    async def connect(self) -> "Listener":
        """Connects; the client itself."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self._url.hostname, self._url.port)
        await self._open
        return self

    def say(self, message: bytes) -> None:
        """Sends a text."""
        length = len(message)
        head = bytes([_TEXT, _MASKED | (length if length < _SHORT else _SHORT)])
        if length >= _SHORT:
            head += struct.pack("!H", length)
        # Masked, as clients have to; by zeros, which leave it as it is.
        self._write(head + bytes(4) + message)

    def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.WriteTransport", transport)
        spoken = f"Sec-WebSocket-Protocol: {self._subprotocol}\r\n" if self._subprotocol else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            f"GET {self._url.path or '/'} HTTP/1.1\r\nHost: {self._url.netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\n{spoken}"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if not self._open.done():
            self._open.set_exception(exc or ConnectionError("the server has hung up"))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        at = perf_counter()
        self._buffer = self._buffer + data if self._buffer else data
        if not self._open.done() and not self._shake_hands():
            return
        while (message := self._next()) is not None:
            if message == PING:
                self.say(b'{"type":"pong"}')
            else:
                self._heard(self, at, message)

    def _shake_hands(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self._open.set_exception(ConnectionError(head.decode()))
            return False
        self._buffer = rest
        self._open.set_result(None)
        return True

    def _next(self) -> bytes | None:
        """The next message, once it is complete; servers do not mask."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        begin, length = 2, buffer[1]
        if length >= _SHORT:
            begin = 4 if length == _SHORT else 10
            if len(buffer) < begin:
                return None
            length = int.from_bytes(buffer[2:begin])
        if len(buffer) < begin + length:
            return None
        assert buffer[0] == _TEXT, f"expected a text, got {buffer[:begin].hex()}"
        self._buffer = buffer[begin + length :]
        return buffer[begin : begin + length]

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


async def subscribe(
    number: int, url: str, heard: Heard, document: str, **variables: object
) -> Listener:
    """A client of `graphql-transport-ws` with one subscription; told its answers alone."""
    acknowledged = asyncio.get_running_loop().create_future()

    def hear(listener: Listener, at: float, message: bytes) -> None:
        if acknowledged.done():
            heard(listener, at, message)
        else:
            acknowledged.set_result(message)

    made = await Listener(number, f"{url}/graphql", hear, SUBPROTOCOL).connect()
    made.say(b'{"type":"connection_init"}')
    await acknowledged
    payload = {"query": document, "variables": variables}
    made.say(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    return made
