"""The least that a server of WebSockets can do: what one client says, all get.

    python benchmarks/broadcast.py PORT

Starlette on uvicorn, with the options that Rollgraph gives it, and nothing else.
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

connected: set[WebSocket] = set()


async def listen(socket: WebSocket) -> None:
    """Serves one client; sends what it says to each client, one after the other."""
    await socket.accept()
    connected.add(socket)
    try:
        async for text in socket.iter_text():
            for each in connected:
                await each.send_text(text)
    finally:
        connected.discard(socket)


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[WebSocketRoute("/", listen)]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets-sansio",
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_level="error",
    )
