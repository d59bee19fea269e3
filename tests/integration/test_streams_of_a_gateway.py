"""The command line's client takes a stream, and says what else a server may answer instead."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from rollgraph.adapters import gateway
from rollgraph.adapters.gateway import Gateway
from rollgraph.core.errors import RemoteError

pytestmark = pytest.mark.looptime(False)

EVENTS = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
NEXT = 'event: next\nid: 1\ndata: {"data": 1}\n\n'
COMPLETE = "event: complete\ndata: \n\n"


def answer(status: str, body: str, kind: str = "application/json") -> str:
    size = len(body.encode())
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n{body}"


@asynccontextmanager
async def server(says: str, silent: bool = False) -> AsyncIterator[tuple[Gateway, list[str]]]:
    """A server that says this to whoever asks, and what it was asked."""
    asked: list[str] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            asked.append((await stream.receive()).decode())
            await stream.send(says.encode())
            if silent:
                await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        url = f"http://127.0.0.1:{port}"
        yield Gateway(url, ssl.create_default_context(), proxied=False), asked
        tasks.cancel_scope.cancel()


async def answers(says: str, silent: bool = False) -> list[dict[str, Any]]:
    """What comes of it, to its end."""
    async with server(says, silent) as (asking, _):
        try:
            async with asking.subscribe(b"{}", "") as stream:
                return [each async for each in stream]
        except RemoteError as error:
            failure = error  # which the task group would put into a group
    raise failure


async def test_answers_come_until_the_server_says_that_there_are_no_more() -> None:
    assert await answers(f"{EVENTS}:\n\n{NEXT}:\n\n{NEXT}{COMPLETE}{NEXT}") == [{"data": 1}] * 2


async def test_a_question_is_sent_with_the_token_and_asks_for_a_stream() -> None:
    async with server(EVENTS + COMPLETE) as (asking, asked):
        async with asking.subscribe(b'{"query": "q"}', "secret") as stream:
            assert [each async for each in stream] == []
        (head, _, body) = asked[0].partition("\r\n\r\n")
    lines = head.lower().splitlines()
    assert lines[0] == "post /graphql http/1.1"
    assert {"accept: text/event-stream", "authorization: bearer secret"} <= set(lines)
    assert body == '{"query": "q"}'


async def test_a_stream_that_ends_without_a_word_has_broken_off() -> None:
    with pytest.raises(RemoteError, match="the stream broke off"):
        await answers(EVENTS + NEXT)


async def test_so_has_one_that_is_silent_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "SILENCE", 0.2)
    with pytest.raises(RemoteError, match=r"has said nothing for 0\.2 s"):
        await answers(EVENTS + NEXT, silent=True)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 No"])
async def test_a_server_that_is_busy_is_to_be_asked_again(status: str) -> None:
    with pytest.raises(RemoteError, match=f"answered HTTP {status[:3]}"):
        await answers(answer(status, "{}"))


async def test_a_refusal_is_the_only_answer() -> None:
    refusal = '{"errors": [{"message": "no"}]}'
    for status in ("200 OK", "401 Unauthorized", "400 Bad Request"):
        assert await answers(answer(status, refusal)) == [{"errors": [{"message": "no"}]}]


@pytest.mark.parametrize(
    "says",
    [
        answer("200 OK", "<html>", "text/html"),
        answer("302 Found", "elsewhere"),
        f"{EVENTS}event: next\ndata: <html>\n\n",
    ],
    ids=["a page", "a redirect", "a stream of something else"],
)
async def test_what_is_no_rollgraph_is_said_to_be_none(says: str) -> None:
    with pytest.raises(RemoteError, match="is this a Rollgraph"):
        await answers(says)


async def test_an_event_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LARGEST_EVENT", 1000)
    with pytest.raises(RemoteError, match="exceeded the 1000 byte limit"):
        await answers(f"{EVENTS}event: next\ndata: {'x' * 2000}", silent=True)
