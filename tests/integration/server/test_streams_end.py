"""A process that is told to stop ends its streams so that their clients come back, and in time."""

import json
import signal
import time

import anyio
import httpx2
import pytest
from anyio.abc import TaskStatus
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from integration.server.test_process import Process, Start, kubeconfig, start

__all__ = ["kubeconfig", "start"]

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(120)]

WATCH = "subscription { clusterConnectionChanged { kind } }"
# Seconds, as they are set below.
GRACE = 6


@pytest.fixture
def serving(start: Start) -> Process:
    process = start("--shutdown-grace", str(GRACE))
    (process.url,) = process.line("serving")["graphql"]
    return process


async def subscribed(url: str) -> ClientConnection:
    """A WebSocket with a subscription, of which the first event has come."""
    protocol = Subprotocol("graphql-transport-ws")
    made = await connect(url.replace("http:", "ws:"), subprotocols=[protocol], proxy=None)
    await made.send(json.dumps({"type": "connection_init"}))
    assert json.loads(await made.recv()) == {"type": "connection_ack"}
    said = {"type": "subscribe", "id": "1", "payload": {"query": WATCH}}
    await made.send(json.dumps(said))
    assert json.loads(await made.recv())["type"] == "next"
    return made


async def test_websockets_end_one_by_one_and_events_without_completion(serving: Process) -> None:
    ends: list[tuple[float, int | None]] = []
    events: list[str] = []

    async def listen(made: ClientConnection) -> None:
        try:
            while True:
                await made.recv()
        except ConnectionClosed as closed:
            ends.append((time.monotonic(), closed.rcvd.code if closed.rcvd else None))

    async def stream(client: httpx2.AsyncClient, *, task_status: TaskStatus[None]) -> None:
        headers, said = {"accept": "text/event-stream"}, ""
        asked = client.stream("POST", serving.url, json={"query": WATCH}, headers=headers)
        async with asked as answer:
            async for part in answer.aiter_text():
                if "event: next" in part and "event: next" not in said:
                    task_status.started()
                said += part
        events.append(said)

    sockets = [await subscribed(serving.url) for _ in range(50)]
    client = httpx2.AsyncClient(trust_env=False, timeout=60)
    async with client, anyio.create_task_group() as tasks:
        for made in sockets:
            tasks.start_soon(listen, made)
        for _ in range(3):
            await tasks.start(stream, client)
        begun = time.monotonic()
        serving.signal(signal.SIGTERM)
    assert {code for _, code in ends} == {1012}
    assert len(ends) == 50
    first, last = min(ends)[0], max(ends)[0]
    assert last - first > 0.5  # 53 streams, 20 ms apart
    assert last - begun < GRACE / 2
    assert [event.count("event: next") for event in events] == [1, 1, 1]
    assert "complete" not in "".join(events)
    status, said = await anyio.to_thread.run_sync(serving.end)
    assert status == 0
    assert time.monotonic() - begun < GRACE
    assert "Traceback" not in said


async def test_a_handshake_by_another_site_is_refused(serving: Process) -> None:
    url = serving.url.replace("http:", "ws:")
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, additional_headers={"Origin": "https://evil.example"}, proxy=None)
    assert refused.value.response.status_code == 403
    serving.signal(signal.SIGTERM)
    _, said = await anyio.to_thread.run_sync(serving.end)
    assert '"level":"error"' not in said


async def test_a_message_that_is_too_long_ends_the_connection(serving: Process) -> None:
    made = await subscribed(serving.url)
    await made.send(json.dumps({"type": "ping", "payload": "x" * 300 * 1024}))
    await made.wait_closed()
    assert made.close_code == 1009
