"""What subscribers of a gateway hear, with the time at which they did."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from acceptance.rawwatch import Place, Seen, State

# A document, and its variables.
Question: TypeAlias = tuple[str, dict[str, Any]]

PROTOCOL = Subprotocol("graphql-transport-ws")


@dataclass
class Heard:
    """The events of one subscription, in order.

    Attributes:
        events: Each with the moment at which it came, by `time.perf_counter`.
    """

    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def take(self, at: float, answer: dict[str, Any]) -> None:
        """An answer has come."""
        assert "errors" not in answer, answer
        (event,) = answer["data"].values()
        self.events.append((at, event))

    def seen(self) -> list[Seen]:
        """The states that its events tell."""
        return [_seen(at, event) for at, event in [*self.events]]


def place_of(event: dict[str, Any]) -> Place:
    """The rollout that an event is about."""
    return event["clusterName"], event["rollout"]["name"]


def _seen(at: float, event: dict[str, Any]) -> Seen:
    rollout = event["rollout"]
    state = State(rollout["phase"], rollout["message"], rollout["currentStepIndex"])
    return Seen(place_of(event), state, at)


@asynccontextmanager
async def over_websocket(url: str, **asked: Question) -> AsyncIterator[dict[str, Heard]]:
    """Subscribes on one WebSocket; gives what each subscription hears, by its name.

    Args:
        url: The gateway's.
        asked: What is subscribed to, by name.
    """
    heard = {name: Heard() for name in asked}
    where = url.replace("http:", "ws:") + "/graphql"
    # Events come faster than this process takes them while it waits for a cluster: none is to be
    # pushed back.
    async with (
        connect(where, subprotocols=[PROTOCOL], proxy=None, max_queue=None) as socket,
        anyio.create_task_group() as tasks,
    ):
        await socket.send('{"type":"connection_init"}')
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        for name, (document, variables) in asked.items():
            payload = {"query": document, "variables": variables}
            said = orjson.dumps({"type": "subscribe", "id": name, "payload": payload})
            await socket.send(said.decode())
        tasks.start_soon(_listen, socket, heard)
        yield heard
        tasks.cancel_scope.cancel()


async def _listen(socket: ClientConnection, heard: dict[str, Heard]) -> None:
    async for text in socket:
        at, message = time.perf_counter(), orjson.loads(text)
        if message["type"] == "ping":
            await socket.send('{"type":"pong"}')
        else:
            assert message["type"] == "next", message
            heard[message["id"]].take(at, message["payload"])


@asynccontextmanager
async def over_events(url: str, document: str, variables: dict[str, Any]) -> AsyncIterator[Heard]:
    """Subscribes by server-sent events."""
    heard = Heard()
    timeout = httpx2.Timeout(30)  # longer than between two signs of life
    async with (
        httpx2.AsyncClient(base_url=url, timeout=timeout, trust_env=False) as client,
        anyio.create_task_group() as tasks,
    ):
        question = {"query": document, "variables": variables}
        tasks.start_soon(_read, client, question, heard)
        yield heard
        tasks.cancel_scope.cancel()


async def _read(client: httpx2.AsyncClient, question: dict[str, Any], heard: Heard) -> None:
    accept = {"Accept": "text/event-stream"}
    async with client.stream("POST", "/graphql", json=question, headers=accept) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                heard.take(time.perf_counter(), orjson.loads(line.removeprefix("data: ")))
