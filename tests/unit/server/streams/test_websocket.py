"""graphql-transport-ws: every close code, and what goes on between."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from weakref import WeakSet

import anyio
import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from fakes.wire import Socket, socket
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.core.errors import (
    BrokerError,
    IdentityProviderError,
    RollgraphError,
    UnauthenticatedViewerError,
)
from rollgraph.core.viewer import Viewer
from rollgraph.server.streams import serving
from rollgraph.server.streams.connection import Connection
from rollgraph.server.streams.means import Rules
from rollgraph.server.streams.places import Places
from unit.server.streams.ticking import CLOCK, Gateway

TICKS = "subscription { ticks { number } }"


def tick(id_: str, number: int) -> dict[str, Any]:
    return {"type": "next", "id": id_, "payload": {"data": {"ticks": {"number": number}}}}


@contextmanager
def no_look_for_garbage() -> Iterator[None]:
    """What is free meanwhile nobody refers to any more."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def begun(client: Socket) -> Socket:
    await client.line.hear()  # accepted
    await client.init()
    return client


async def test_a_subscription_goes_on_until_the_client_completes_it() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", TICKS)
        assert [await client.hear() for _ in range(3)] == [tick("a", n) for n in range(3)]
        await client.say("complete", id="a")
        await anyio.sleep(10)
        assert client.line.heard() == []


async def test_a_subscription_that_ends_says_so_and_its_id_is_free() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        for _ in range(2):
            await client.subscribe("a", "subscription { ticks(most: 1) { number } }")
            assert await client.hear() == tick("a", 0)
            assert await client.hear() == {"type": "complete", "id": "a"}


async def test_an_id_may_be_used_again_the_moment_it_was_completed() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", TICKS)
        assert await client.hear() == tick("a", 0)
        await client.say("complete", id="a")
        await client.subscribe("a", "subscription { ticks(most: 2) { number } }")
        assert [await client.hear() for _ in range(2)] == [tick("a", 0), tick("a", 1)]
        assert await client.hear() == {"type": "complete", "id": "a"}


async def test_queries_and_mutations_are_answered_once() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        for document in ("{ slow(seconds: 1) }", "mutation { slow: act(seconds: 1) }"):
            await client.subscribe("q", document)
            answer = {"type": "next", "id": "q", "payload": {"data": {"slow": True}}}
            assert await client.hear() == answer
            assert await client.hear() == {"type": "complete", "id": "q"}


async def test_operations_go_on_beside_each_other() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("slow", "{ slow(seconds: 5) }")
        await client.subscribe("quick", "{ subject }")
        assert (await client.hear())["id"] == "quick"


@pytest.mark.parametrize(
    ("document", "seconds", "said"),
    [
        ("{ slow(seconds: 99) }", 10, "longer than 10 s: ask for less"),
        ("mutation { act(seconds: 99) }", 30, "longer than 30 s together: look at what has been"),
    ],
)
async def test_time_limits_hold_here_too(document: str, seconds: float, said: str) -> None:
    async with socket(Gateway(rules=Rules(heartbeat=600)).app) as made:
        client = await begun(made)
        begin = anyio.current_time()
        await client.subscribe("q", document)
        message = await client.hear()
        assert (message["type"], message["id"]) == ("error", "q")
        (error,) = message["payload"]
        assert error["extensions"]["code"] == "OPERATION_TIMED_OUT"
        assert said in error["message"]
        assert anyio.current_time() - begin == pytest.approx(seconds, abs=0.01)


async def test_a_subscription_has_no_time_limit() -> None:
    async with socket(Gateway(rules=Rules(heartbeat=10**6)).app) as made:
        client = await begun(made)
        await client.subscribe("a", "subscription { ticks(most: 3, every: 3600) { number } }")
        assert [await client.hear() for _ in range(3)] == [tick("a", n) for n in range(3)]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("subscription { ticks { ", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{n}: subject" for n in range(40)) + " }", "TOO_MANY_ALIASES"),
    ],
)
async def test_an_operation_that_is_refused_is_an_error_and_the_connection_stays(
    document: str, code: str
) -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", document)
        message = await client.hear()
        assert (message["type"], message["id"]) == ("error", "a")
        assert code in [error["extensions"]["code"] for error in message["payload"]]
        await client.subscribe("a", "{ subject }")
        assert (await client.hear())["payload"] == {"data": {"subject": "local"}}


async def test_what_an_operation_costs_can_be_asked_here_too() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", "{ subject }", extensions={"cost": True})
        assert "cost" in (await client.hear())["payload"]["extensions"]


async def test_a_bug_is_masked_and_ends_only_its_own_operation() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        with capture_logs() as logs:
            await client.subscribe("a", "subscription { breaks }")
            assert (await client.hear())["payload"] == {"data": {"breaks": 1}}
            message = await client.hear()
        assert (message["type"], message["id"]) == ("error", "a")
        assert message["payload"][0]["message"] == "Internal error"
        assert "secret" not in str(message)
        assert [log["event"] for log in logs] == ["stream_failed"]
        await client.subscribe("a", "{ subject }")
        assert (await client.hear())["type"] == "next"


# How connections end.


async def test_4400_for_what_is_no_message() -> None:
    frames: list[tuple[str | bytes, str]] = [
        ("no JSON", "expected JSON"),
        ("[]", "expected a JSON object"),
        (b"{}", "expected text; got binary data"),
        ('{"type": "next", "id": "1"}', "no message has the type 'next'"),
        ('{"type": "subscribe"}', "subscribe: expected an id"),
        ('{"type": "subscribe", "id": ""}', "subscribe: expected an id"),
        ('{"type": "subscribe", "id": "1"}', "subscribe: expected a payload with a query"),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": 1}}',
            "subscribe: expected variables to be an object, or none",
        ),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
            "subscribe: expected operationName to be text, or none",
        ),
    ]
    for frame, reason in frames:
        async with socket(Gateway().app) as made:
            client = await begun(made)
            await client.raw(frame)
            assert await client.closed() == (4400, reason)


async def test_4400_for_an_init_that_is_no_object() -> None:
    async with socket(Gateway().app) as client:
        await client.line.hear()
        await client.say("connection_init", payload="token")
        code, reason = await client.closed()
        assert (code, reason[:16]) == (4400, "connection_init:")


async def test_4401_for_who_asks_before_the_init() -> None:
    async with socket(Gateway().app) as client:
        await client.line.hear()
        await client.subscribe("a", TICKS)
        assert await client.closed() == (4401, "Unauthorized: connection_init comes first")


async def test_4406_for_who_speaks_something_else() -> None:
    for offered in ((), ("graphql-ws",)):
        async with socket(Gateway().app, subprotocols=offered) as client:
            await client.line.hear()
            assert (await client.closed())[0] == 4406


async def test_4408_for_who_does_not_say_who_asks() -> None:
    async with socket(Gateway(rules=Rules(init_timeout=3)).app) as client:
        await client.line.hear()
        begin = anyio.current_time()
        assert await client.closed() == (4408, "Connection initialisation timeout")
        assert anyio.current_time() - begin == pytest.approx(3)


async def test_4409_for_an_id_that_is_taken() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", TICKS)
        await client.hear()
        await client.subscribe("a", TICKS)
        assert await client.closed() == (4409, "Subscriber for a already exists")


async def test_4429_for_a_second_init() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.say("connection_init")
        assert await client.closed() == (4429, "Too many initialisation requests")


# Who asks.


def somebody(name: str, lasts: float | None = None) -> Caller:
    end = None if lasts is None else CLOCK.now() + timedelta(seconds=lasts)
    return replace(ANYBODY, rights=Everything(Viewer(name, expires_at=end)))


async def refuse(_: object) -> Caller:
    raise UnauthenticatedViewerError("log in first: there is neither a token nor a login")


async def by_token(payload: object) -> Caller | None:
    assert isinstance(payload, dict | None)
    if not payload:
        return None
    if payload["authorization"] != "Bearer good":
        raise UnauthenticatedViewerError("the token has expired")
    return somebody("anna")


async def test_a_token_comes_with_the_init() -> None:
    async with socket(Gateway(identify=refuse, of_init=by_token).app) as client:
        await client.line.hear()
        await client.init({"authorization": "Bearer good"})
        await client.subscribe("a", "{ subject }")
        assert (await client.hear())["payload"] == {"data": {"subject": "anna"}}


async def test_4403_says_why() -> None:
    for payload, reason in [
        ({"authorization": "Bearer bad"}, "the token has expired"),
        ({}, "log in first: there is neither a token nor a login"),
    ]:
        async with socket(Gateway(identify=refuse, of_init=by_token).app) as client:
            await client.line.hear()
            with capture_logs() as logs:
                await client.say("connection_init", payload=payload)
                assert await client.closed() == (4403, reason)
            assert logs[0]["event"] == "token_refused"


async def test_4403_for_a_page_of_another_origin_that_uses_a_login() -> None:
    async def forged(_: object) -> Caller:
        raise HTTPException(403, "Origin is not Rollgraph's: only its own pages may use a login")

    async with socket(Gateway(identify=forged).app) as client:
        await client.line.hear()
        await client.say("connection_init")
        code, reason = await client.closed()
        assert (code, reason[:27]) == (4403, "Origin is not Rollgraph's: ")


async def test_1013_while_nobody_can_tell() -> None:
    async def silent(_: object) -> Caller:
        raise IdentityProviderError("the identity provider does not answer")

    async with socket(Gateway(identify=silent).app) as client:
        await client.line.hear()
        await client.say("connection_init")
        assert await client.closed() == (1013, "the identity provider does not answer")


async def test_a_page_of_another_site_gets_no_handshake_where_nobody_logs_in() -> None:
    for headers, said in [
        ({"origin": "https://evil.example"}, "pages of other origins"),
        ({"host": "rebound.example"}, "Host is no loopback name"),
        ({"sec-fetch-site": "cross-site"}, "pages of other sites"),
    ]:
        async with socket(Gateway(guarded=True).app, headers) as client:
            start, body = await client.line.hear(), await client.line.hear()
            assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
            assert said in body["body"].decode()


async def test_our_own_page_gets_one() -> None:
    headers = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    async with socket(Gateway(guarded=True).app, headers) as client:
        assert (await client.line.hear())["subprotocol"] == "graphql-transport-ws"


async def test_a_login_that_ends_is_told_to_each_operation_then_4403() -> None:
    async def who(_: object) -> Caller:
        return somebody("anna", lasts=3600)

    async with socket(Gateway(identify=who, rules=Rules(heartbeat=10**6)).app) as made:
        client = await begun(made)
        await client.subscribe("a", "subscription { ticks(every: 100000) { number } }")
        await client.hear()
        begin = anyio.current_time()
        message = await client.hear()
        assert (message["type"], message["id"]) == ("error", "a")
        assert message["payload"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        code, reason = await client.closed()
        assert (code, reason) == (4403, "the login has ended: log in again")
        # With the leeway that whoever verifies it gives, too.
        assert anyio.current_time() - begin == pytest.approx(3630, abs=1)


async def test_a_login_that_somebody_ends_ends_the_connection_within_a_minute() -> None:
    ended = False

    async def who(_: object) -> Caller:
        if ended:
            raise UnauthenticatedViewerError("the login has ended; log in again")
        return somebody("anna")

    async with socket(Gateway(identify=who, rules=Rules(heartbeat=10**6)).app) as made:
        client = await begun(made)
        await client.subscribe("a", "subscription { ticks(every: 100000) { number } }")
        await client.hear()
        await anyio.sleep(300)
        assert client.line.heard() == []
        ended = True
        begin = anyio.current_time()
        assert (await client.hear())["payload"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        assert (await client.closed())[0] == 4403
        assert anyio.current_time() - begin <= 60.01


async def test_nobody_loses_a_connection_while_nobody_can_tell() -> None:
    down: list[RollgraphError] = []

    async def who(_: object) -> Caller:
        for error in down:
            raise error
        return somebody("anna")

    async with socket(Gateway(identify=who, rules=Rules(heartbeat=10**6)).app) as made:
        client = await begun(made)
        for error in (IdentityProviderError("no answer"), BrokerError("no answer")):
            down[:] = [error]
            await anyio.sleep(300)
            assert client.line.heard() == []


async def test_a_stream_that_notices_it_itself_closes_the_connection_too() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.subscribe("a", "subscription { expires }")
        assert (await client.hear())["payload"] == {"data": {"expires": 1}}
        message = await client.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == (
            "error",
            "TOKEN_EXPIRED",
        )
        assert (await client.closed())[0] == 4403


# Life and death.


async def test_pings_are_answered() -> None:
    async with socket(Gateway().app) as made:
        client = await begun(made)
        await client.say("ping", payload={"sent": 1})
        assert await client.hear() == {"type": "pong"}


async def test_a_quiet_client_is_pinged_and_stays_while_it_answers() -> None:
    async with socket(Gateway(rules=Rules(heartbeat=15)).app) as made:
        client = await begun(made)
        for beat in range(1, 20):
            assert await client.hear() == {"type": "ping"}
            assert anyio.current_time() == pytest.approx(15 * beat, abs=0.1)
            await client.say("pong")


async def test_a_client_that_answers_no_ping_is_given_up() -> None:
    async with socket(Gateway(rules=Rules(heartbeat=15, patience=20)).app) as made:
        client = await begun(made)
        await anyio.sleep(60)
        *pings, close = client.line.heard()
        assert (close["code"], close["reason"]) == (1001, "no pong")
        assert len(pings) == 2


async def test_a_client_that_takes_nothing_is_given_up_and_holds_up_nobody() -> None:
    gateway = Gateway(rules=Rules(patience=20))
    async with socket(gateway.app) as slow, socket(gateway.app) as quick:
        await begun(slow)
        await begun(quick)
        slow.line.blocked = anyio.Event()
        await slow.subscribe("a", TICKS)
        await quick.subscribe("a", "subscription { ticks(most: 10) { number } }")
        assert [await quick.hear() for _ in range(10)] == [tick("a", n) for n in range(10)]
        assert (await quick.hear())["type"] == "complete"
        assert gateway.means.places.taken == 1
        await anyio.sleep(20)
        assert (gateway.means.places.taken, len(gateway.means.drain)) == (0, 1)


async def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    gateway = Gateway()
    async with socket(gateway.app) as made:
        client = await begun(made)
        for number in range(5):
            await client.subscribe(str(number), TICKS)
        await anyio.sleep(1)
        assert (gateway.means.places.taken, len(gateway.means.drain)) == (5, 1)
        await client.leave()
        await anyio.sleep(1)
        assert (gateway.means.places.taken, len(gateway.means.drain)) == (0, 0)


@pytest.mark.parametrize("by_us", [True, False])
async def test_what_a_connection_took_is_free_at_once(
    by_us: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: WeakSet[Connection] = WeakSet()

    class Known(Connection):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.add(self)

    monkeypatch.setattr(serving, "Connection", Known)
    gateway = Gateway()
    with no_look_for_garbage():
        async with socket(gateway.app) as one:
            client = await begun(one)
            await client.subscribe("a", TICKS)
            assert await client.hear() == tick("a", 0)
            assert len(made) == 1
            if by_us:
                await gateway.means.drain.run(1)
            else:
                await client.leave()
            await anyio.sleep(1)
        assert len(made) == 0


# Bounds.


async def test_a_connection_has_a_bound_of_operations() -> None:
    async with socket(Gateway(rules=Rules(per_connection=2)).app) as made:
        client = await begun(made)
        for id_ in ("a", "b", "c"):
            await client.subscribe(id_, "subscription { ticks(every: 9) { number } }")
        said = [await client.hear() for _ in range(3)]
        refused = next(message for message in said if message["id"] == "c")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
        await client.say("complete", id="a")
        await client.subscribe("c", "{ subject }")
        assert (await client.hear())["type"] == "next"


async def test_a_viewer_has_a_bound_over_all_connections() -> None:
    gateway = Gateway(places=Places(per_viewer=1))
    async with socket(gateway.app) as one, socket(gateway.app) as other:
        await begun(one)
        await begun(other)
        await one.subscribe("a", TICKS)
        await one.hear()
        await other.subscribe("b", TICKS)
        refused = await other.hear()
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
        await one.leave()
        await anyio.sleep(0.1)
        await other.subscribe("b", TICKS)
        assert await other.hear() == tick("b", 0)


async def test_there_is_a_bound_of_connections() -> None:
    gateway = Gateway(places=Places(most=1))
    async with socket(gateway.app) as one:
        await begun(one)
        async with socket(gateway.app) as other:
            assert (await other.line.hear())["status"] == 503


# The end of the process.


async def test_connections_end_one_after_the_other_with_1012() -> None:
    gateway = Gateway()
    ends = []
    async with anyio.create_task_group() as tasks, socket(gateway.app) as first:
        await begun(first)

        async def one() -> None:
            async with socket(gateway.app) as made:
                await begun(made)
                code, _ = await made.closed()
                ends.append((anyio.current_time(), code))

        for _ in range(100):
            tasks.start_soon(one)
        await anyio.sleep(1)
        begin = anyio.current_time()
        await gateway.means.drain.run(1.0)
        assert (await first.closed())[0] == 1012
        async with socket(gateway.app) as late:
            assert (await late.line.hear())["status"] == 503
    assert {code for _, code in ends} == {1012}
    assert max(end for end, _ in ends) - begin <= 1.0
    assert len({round(end, 3) for end, _ in ends}) > 90
