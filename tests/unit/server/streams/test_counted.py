"""Streams are counted: those that go on, and what became of the others."""

from collections.abc import Mapping

import anyio
import pytest

from fakes.wire import Stream, socket, stream
from rollgraph.ports import OperationObserver
from unit.server.streams.ticking import Gateway

TICKS = "subscription { ticks { number } }"
MULTIPART = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}


class Heard(OperationObserver):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.story: list[tuple[str, str, float | None]] = []

    def answered(self, type: str, result: str, seconds: float | None) -> None:
        self.story.append((type, result, seconds))


async def going_on(gateway: Gateway) -> Mapping[str, int]:
    await anyio.sleep(0.1)
    return {way: count for way, count in gateway.means.places.by_transport().items() if count}


async def begun(made: Stream) -> None:
    while b"number" not in await made.part():
        pass


async def test_those_that_go_on_are_told_by_the_way_that_they_go() -> None:
    heard = Heard()
    gateway = Gateway(observer=heard)
    async with (
        socket(gateway.app) as client,
        stream(gateway.app, {"query": TICKS}) as events,
        stream(gateway.app, {"query": TICKS}, MULTIPART) as parts,
    ):
        await client.line.hear()
        await client.init()
        await client.subscribe("a", TICKS)
        await client.subscribe("b", TICKS)
        await begun(events)
        await begun(parts)
        assert await going_on(gateway) == {"websocket": 2, "sse": 1, "multipart": 1}
        await client.say("complete", id="a")
        await events.leave()
        assert await going_on(gateway) == {"websocket": 1, "multipart": 1}
        assert heard.story == [("subscription", "ok", None)] * 2


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("subscription { ticks(most: 1) { number } }", "ok"),
        ("subscription { nothing }", "refused"),
    ],
)
async def test_what_became_of_them_is_told_once(query: str, result: str) -> None:
    heard = Heard()
    gateway = Gateway(observer=heard)
    async with stream(gateway.app, {"query": query}) as made:
        await made.rest()
    assert heard.story == [("subscription", result, None)]
