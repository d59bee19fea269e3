"""Streams over HTTP: server-sent events, and multipart as Apollo Router has it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from fakes.wire import Stream, stream
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.viewer import Viewer
from rollgraph.server.streams.means import Rules
from rollgraph.server.streams.places import Places
from unit.server.streams.ticking import CLOCK, Gateway

TICKS = {"query": "subscription { ticks { cursor number } }"}
FEW = {"query": "subscription { ticks(most: 2) { number } }"}
MULTIPART = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}


def event(kind: str, data: str, id_: str = "") -> bytes:
    named = f"id: {id_}\n" if id_ else ""
    return f"event: {kind}\n{named}data: {data}\n\n".encode()


async def event_of(made: Stream) -> dict[str, str]:
    """The next event, comments left out."""
    while (part := await made.part()).startswith(b":"):
        pass
    return dict(line.split(": ", 1) for line in part.decode().splitlines() if line)


async def ask(gateway: Gateway, body: Mapping[str, Any], **headers: str) -> httpx2.Response:
    """An answer as a whole."""
    transport = httpx2.ASGITransport(app=gateway.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.post("/graphql", json=body, headers=headers)


async def test_a_subscription_is_a_stream_of_events() -> None:
    async with stream(Gateway().app, FEW) as made:
        assert (made.status, made.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        assert made.headers["x-accel-buffering"] == "no"
        assert made.headers["cache-control"] == "no-store, no-transform"
        assert "content-length" not in made.headers
        assert await made.rest() == b"".join(
            [
                b":\n\n",
                event("next", '{"data":{"ticks":{"number":0}}}'),
                event("next", '{"data":{"ticks":{"number":1}}}'),
                event("complete", ""),
            ]
        )


async def test_what_came_last_is_where_it_goes_on() -> None:
    async with stream(Gateway().app, TICKS) as made:
        first, second = await event_of(made), await event_of(made)
    assert (first["id"], second["id"]) == ("c-0", "c-1")
    async with stream(Gateway().app, TICKS, {"last-event-id": second["id"]}) as made:
        third = await event_of(made)
    assert (third["id"], json.loads(third["data"])["data"]["ticks"]["number"]) == ("c-2", 2)


async def test_an_alias_hides_no_cursor() -> None:
    body = {"query": "subscription { a: ticks(most: 1) { cursor } }"}
    async with stream(Gateway().app, body) as made:
        assert (await event_of(made))["id"] == "c-0"


async def test_it_can_be_asked_by_get_but_may_not_act() -> None:
    gateway = Gateway()
    transport = httpx2.ASGITransport(app=gateway.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        headers = {"accept": "text/event-stream"}
        found = await client.get("/graphql", params=FEW, headers=headers)
        assert found.text.count("event: next") == 2
        act = {"query": "mutation { act(seconds: 0) }"}
        refused = await client.get("/graphql", params=act, headers=headers)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


async def test_a_question_is_answered_by_an_event_to_who_takes_nothing_else() -> None:
    answer = await ask(Gateway(), {"query": "{ subject }"}, accept="text/event-stream")
    assert answer.text == (
        ':\n\nevent: next\ndata: {"data":{"subject":"local"}}\n\nevent: complete\ndata: \n\n'
    )


@pytest.mark.parametrize(
    "accept",
    [
        "application/json, text/event-stream",
        # As urql's and Apollo's clients have it in every request.
        "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
        "multipart/mixed;deferSpec=20220824,application/json",
    ],
)
async def test_a_question_is_answered_as_ever_to_who_takes_that_too(accept: str) -> None:
    answer = await ask(Gateway(), {"query": "{ subject }"}, accept=accept)
    assert answer.json() == {"data": {"subject": "local"}}


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "multipart/mixed, application/json", "text/*"]
)
async def test_who_takes_no_stream_is_told_how_to_subscribe(accept: str) -> None:
    answer = await ask(Gateway(), FEW, accept=accept)
    assert answer.status_code == 406
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_what_is_wrong_with_an_operation_is_the_only_event() -> None:
    answer = await ask(Gateway(), {"query": "subscription { no }"}, accept="text/event-stream")
    assert answer.status_code == 200
    assert "GRAPHQL_VALIDATION_FAILED" in answer.text
    assert answer.text.endswith("event: complete\ndata: \n\n")


async def test_a_body_that_is_none_is_no_stream() -> None:
    answer = await ask(Gateway(), {"query": 7}, accept="text/event-stream")
    assert answer.status_code == 400


async def test_a_quiet_stream_has_a_heartbeat() -> None:
    body = {"query": "subscription { ticks(every: 1000) { number } }"}
    async with stream(Gateway(rules=Rules(heartbeat=15)).app, body) as made:
        assert await made.part() == b":\n\n"
        await made.part()
        for beat in range(1, 6):
            assert await made.part() == b":\n\n"
            assert anyio.current_time() == pytest.approx(15 * beat, abs=0.1)


async def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    gateway = Gateway()
    async with stream(gateway.app, TICKS) as made:
        await event_of(made)
        assert gateway.means.places.taken == 1
        await made.leave()
        await anyio.sleep(0.1)
        assert (gateway.means.places.taken, len(gateway.means.drain)) == (0, 0)


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    gateway = Gateway(rules=Rules(patience=20))
    async with stream(gateway.app, TICKS) as made:
        await event_of(made)
        made.line.blocked = anyio.Event()
        await anyio.sleep(22)
        assert gateway.means.places.taken == 0


async def test_a_login_that_ends_is_the_last_event() -> None:
    async def who(_: object) -> Caller:
        end = CLOCK.now() + timedelta(seconds=100)
        return replace(ANYBODY, rights=Everything(Viewer("anna", expires_at=end)))

    body = {"query": "subscription { ticks(every: 1000) { number } }"}
    async with stream(Gateway(identify=who).app, body) as made:
        await event_of(made)
        last = await event_of(made)
        assert json.loads(last["data"])["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        assert await made.rest() == event("complete", "")


async def test_a_login_that_somebody_ends_is_the_last_event_within_a_minute() -> None:
    ended = False

    async def who(_: object) -> Caller:
        if ended:
            raise UnauthenticatedViewerError("the login has ended; log in again")
        return ANYBODY

    body = {"query": "subscription { ticks(every: 1000) { number } }"}
    async with stream(Gateway(identify=who).app, body) as made:
        await event_of(made)
        ended = True
        begin = anyio.current_time()
        last = await event_of(made)
        assert json.loads(last["data"])["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        assert anyio.current_time() - begin <= 60.01


async def test_there_is_a_bound() -> None:
    gateway = Gateway(places=Places(per_viewer=1))
    async with stream(gateway.app, TICKS) as made:
        await event_of(made)
        refused = await ask(gateway, TICKS, accept="text/event-stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


async def test_a_stop_breaks_it_off_so_that_clients_come_back() -> None:
    gateway = Gateway()
    async with stream(gateway.app, TICKS) as made:
        await event_of(made)
        await gateway.means.drain.run(1.0)
        assert b"complete" not in await made.rest()
    refused = await ask(gateway, TICKS, accept="text/event-stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


async def test_multipart_is_as_routers_have_it() -> None:
    async with stream(Gateway().app, FEW, MULTIPART) as made:
        kind = made.headers["content-type"]
        assert kind == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        parts = (await made.rest()).split(b"\r\n--graphql")
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")
    heads, bodies = zip(*(part.split(b"\r\n\r\n") for part in parts[1:-1]), strict=True)
    assert set(heads) == {b"\r\nContent-Type: application/json"}
    assert [json.loads(body) for body in bodies] == [
        {},
        {"payload": {"data": {"ticks": {"number": 0}}}},
        {"payload": {"data": {"ticks": {"number": 1}}}},
    ]


async def test_multipart_can_be_read_as_it_comes() -> None:
    """Readers take a part for whole when its boundary comes, which is not to be the next one's."""
    async with stream(Gateway().app, TICKS, MULTIPART) as made:
        for _ in range(4):
            assert (await made.part()).endswith(b"}\r\n--graphql")


async def test_multipart_has_its_own_pace_and_tells_of_a_stop() -> None:
    body = {"query": "subscription { ticks(every: 1000) { number } }"}
    gateway = Gateway()
    async with stream(gateway.app, body, MULTIPART) as made:
        for _ in range(2):
            await made.part()
        assert (await made.part()).endswith(b"{}\r\n--graphql")
        assert anyio.current_time() == pytest.approx(5, abs=0.1)
        await gateway.means.drain.run(1.0)
        rest = await made.rest()
    assert b'{"payload":null,"errors":[{"message":"The gateway restarts' in rest
    assert rest.endswith(b"--graphql--\r\n")
