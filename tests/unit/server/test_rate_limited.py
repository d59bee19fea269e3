"""Budgets as callers notice them: by HTTP, over streams, and in `extensions.cost`."""

from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from fakes.wire import socket
from rollgraph.access.caller import Caller
from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.schema.context import Context
from rollgraph.schema.limits.price import REFUSED
from rollgraph.server.admission import Admission
from rollgraph.server.answers import Answers
from rollgraph.server.documents.persisted import Persisted
from rollgraph.server.failures import on_http_error
from rollgraph.server.graphql import Endpoint
from rollgraph.server.rates import Rates
from rollgraph.server.settings import Only
from rollgraph.server.streams.serving import NOT_BY_GET
from unit.schema.asking import NOW, SCHEMA, cluster, fleet, view
from unit.server.streams.test_websocket import begun
from unit.server.streams.ticking import Gateway

# Costs 70 at most, and has two objects: the connection and a row.
PAGE = "{ rollouts(first: 49) { nodes { name } } }"
PAGE_COSTS, PAGE_IS = 70, 22
GRAPHQL = "application/graphql-response+json"


class Door:
    """An endpoint over a fleet of one rollout, where each has a few points."""

    def __init__(self, points: int, *, kept: bool = False) -> None:
        self.made = fleet()
        self.made.mirror.put_cluster(cluster("east"))
        self.made.put(view("canary-aborted"))
        admission = Admission(SCHEMA, Rates(MemoryBudgets(), points=points, action_points=0))
        answers = Answers(lambda: self.made.mirror.version) if kept else None
        endpoint = Endpoint(SCHEMA, self._context, answers, admission=admission)
        handlers: Any = {HTTPException: on_http_error}
        app = Starlette(routes=[Route("/graphql", endpoint)], exception_handlers=handlers)
        self._web = httpx2.ASGITransport(app=app)

    def _context(self, request_id: str, caller: Caller) -> Context:
        return Context(self.made.mirror, NOW, self.made.context.patience, request_id, caller=caller)

    async def ask(self, query: str, accept: str = "*/*", **body: Any) -> httpx2.Response:
        return await self.send({"query": query, **body}, accept)

    async def send(self, body: Mapping[str, Any], accept: str = "*/*") -> httpx2.Response:
        async with httpx2.AsyncClient(transport=self._web, base_url="http://127.0.0.1") as client:
            return await client.post("/graphql", json=body, headers={"accept": accept})

    async def get(self, query: str) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=self._web, base_url="http://127.0.0.1") as client:
            return await client.get("/graphql", params={"query": query})


def extensions(answer: httpx2.Response) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answer.json()["errors"][0]["extensions"]
    return found


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_who_asks_too_fast_is_told_by_status_header_and_code(accept: str) -> None:
    door = Door(points=PAGE_COSTS)
    assert (await door.ask(PAGE, accept)).status_code == 200
    assert (await door.ask(PAGE, accept)).status_code == 429
    refused = await door.ask(PAGE, accept)
    assert refused.headers["retry-after"] == str(extensions(refused)["retryAfter"])
    assert extensions(refused)["code"] == "RATE_LIMITED"
    assert refused.headers["content-type"] == f"{accept}; charset=utf-8"
    await anyio.sleep(extensions(refused)["retryAfter"])
    assert (await door.ask(PAGE, accept)).status_code == 200


async def test_questions_by_get_count_too() -> None:
    door = Door(points=PAGE_COSTS)
    assert (await door.get(PAGE)).status_code == 200
    assert (await door.get(PAGE)).status_code == 429


async def test_what_the_answer_did_not_have_is_given_back() -> None:
    door = Door(points=2 * PAGE_COSTS)
    answers = [await door.ask(PAGE) for _ in range(5)]
    # After each, 22 are spent: the fifth finds 140 - 4 * 22 = 52, and would take 70.
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert extensions(answers[-1])["remaining"] == 140 - 4 * PAGE_IS


# What is asked for first has been worked for when the last makes all of it, or a part, null.
FAILS = [
    "{ rollouts(first: 49) { nodes { name } } clusters(first: -1) { totalCount } }",
    '{ cluster(name: "east") { rollouts(first: 49) { nodes { name } } more: rollouts(first: -1)'
    " { totalCount } } }",
]


@pytest.mark.parametrize("query", FAILS)
async def test_of_what_fails_nothing_is_given_back(query: str) -> None:
    door = Door(points=200)
    answer = (await door.ask(query, extensions={"cost": True})).json()
    assert answer["errors"][0]["path"]
    told = answer["extensions"]["cost"]
    assert "actual" not in told
    assert told["remaining"] == 200 - told["requested"]
    left = (await door.ask("{ rateLimit { remaining } }")).json()["data"]["rateLimit"]
    assert left == {"remaining": told["remaining"] - 1}


async def test_the_cost_is_told_to_whoever_asks() -> None:
    door = Door(points=600)
    told = (await door.ask(PAGE, extensions={"cost": True})).json()["extensions"]["cost"]
    assert told == {
        "requested": PAGE_COSTS,
        "max": 5000,
        "actual": PAGE_IS,
        "limit": 600,
        "remaining": 600 - PAGE_IS,
        "resetAt": "2026-05-12T09:02:02.200000Z",
    }
    assert "extensions" not in (await door.ask(PAGE)).json()


async def test_what_is_only_measured_has_come_to_nothing() -> None:
    dry = PAGE.replace("{", "{ rateLimit(dryRun: true) { cost }", 1)
    answer = (await Door(points=600).ask(dry, extensions={"cost": True})).json()
    assert answer["data"] == {"rateLimit": {"cost": PAGE_COSTS + 1}}
    told = answer["extensions"]["cost"]
    assert (told["requested"], told["remaining"]) == (PAGE_COSTS + 1, 599)
    assert "actual" not in told


async def test_without_a_limit_the_cost_is_told_all_the_same() -> None:
    told = (await Door(points=0).ask(PAGE, extensions={"cost": True})).json()["extensions"]
    assert told == {"cost": {"requested": PAGE_COSTS, "max": 5000, "actual": PAGE_IS}}


async def test_rate_limit_says_the_same_as_data() -> None:
    document = "{ rateLimit { limit cost remaining used nodeCount } }"
    told = (await Door(points=600).ask(document)).json()["data"]["rateLimit"]
    assert told == {"limit": 600, "cost": 1, "remaining": 599, "used": 1, "nodeCount": 1}


async def test_answers_that_are_kept_take_nothing() -> None:
    door = Door(points=PAGE_COSTS, kept=True)
    for _ in range(5):
        assert (await door.ask(PAGE)).status_code == 200


async def test_an_answer_with_the_caller_s_budget_is_not_kept() -> None:
    door = Door(points=600, kept=True)
    asked = [await door.ask(PAGE, extensions={"cost": True}) for _ in range(2)]
    left = [answer.json()["extensions"]["cost"]["remaining"] for answer in asked]
    assert left == [600 - PAGE_IS, 600 - 2 * PAGE_IS]


def hashed(sha256: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256}}


# Refused before anything is executed: by syntax, rules and limits, and by what a hash is not of.
REFUSALS: list[dict[str, Any]] = [
    {"query": "{ rollouts("},
    {"query": ""},
    {"query": "{ nonsense }"},
    {"query": "{ " + "a " * 2000 + "}"},
    {"query": "{ rollouts(first: 200) { nodes { revisions { nodes { images { image } } } } } }"},
    {"query": "query A { __typename } query B { __typename }"},
    {"query": "query A { __typename }", "operationName": "B"},
    {"query": "{ __typename }", "extensions": hashed("0" * 64)},
    {"extensions": {"persistedQuery": {"version": 2}}},
]


@pytest.mark.parametrize("body", REFUSALS)
async def test_what_is_refused_for_what_it_says_takes_what_finding_out_does(
    body: Mapping[str, Any],
) -> None:
    door = Door(points=2 * REFUSED.points)
    for _ in range(2):
        told = await door.send(body)
        assert told.status_code in {200, 400}
        assert "RATE_LIMITED" not in told.text
    limited = await door.send(body)
    assert (limited.status_code, extensions(limited)["code"]) == (429, "RATE_LIMITED")
    assert extensions(limited)["cost"] == REFUSED.points


@pytest.mark.parametrize("body", [{"extensions": hashed("0" * 64)}, {"documentId": "nobody's"}])
async def test_a_document_that_nobody_knows_takes_the_least(body: Mapping[str, Any]) -> None:
    door = Door(points=2)
    asked = [await door.send(body) for _ in range(3)]
    assert [each.status_code for each in asked] == [200, 200, 429]


async def test_a_refusal_tells_what_is_left() -> None:
    told = (await Door(points=600).ask("{ nonsense }", extensions={"cost": True})).json()
    assert told["errors"][0]["message"].startswith("Cannot query field 'nonsense'")
    assert told["extensions"]["cost"]["remaining"] == 600 - REFUSED.points


async def test_documents_that_are_not_trusted_are_not_refused_for_nothing() -> None:
    trusting = Persisted(None, None, None, Only.REFUSE)
    made = Gateway(
        rates=Rates(MemoryBudgets(), points=REFUSED.points, action_points=0), documents=trusting
    )
    web = httpx2.ASGITransport(app=made.app)
    async with httpx2.AsyncClient(transport=web, base_url="http://127.0.0.1:8000") as client:
        asked = [await client.post("/graphql", json={"query": "{ subject }"}) for _ in range(2)]
    assert [extensions(each)["code"] for each in asked] == ["DOCUMENT_NOT_TRUSTED", "RATE_LIMITED"]


async def test_a_subscription_that_is_asked_for_as_no_stream_takes_as_much() -> None:
    web = httpx2.ASGITransport(app=gateway(points=REFUSED.points).app)
    body = {"query": "subscription { ticks { number } }"}
    async with httpx2.AsyncClient(transport=web, base_url="http://127.0.0.1:8000") as client:
        asked = [await client.post("/graphql", json=body) for _ in range(2)]
    assert [each.status_code for each in asked] == [406, 429]


async def test_over_a_websocket_too_refusals_take_something() -> None:
    async with socket(gateway(points=REFUSED.points).app) as made:
        client = await begun(made)
        told = []
        for document in ("{ nonsense }", "{ nonsense }"):
            await client.subscribe("a", document)
            heard = await client.hear()
            assert heard["type"] == "error"
            told.append(heard["payload"][0].get("extensions", {}).get("code"))
    assert told[1] == "RATE_LIMITED" != told[0]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_mutation_by_get_is_refused_before_it_is_paid_for(accept: str) -> None:
    act = "mutation { act(seconds: 0) }"
    web = httpx2.ASGITransport(app=gateway(points=2 * REFUSED.points).app)
    async with httpx2.AsyncClient(transport=web, base_url="http://127.0.0.1:8000") as client:
        for status in (405, 405, 429):
            refused = await client.get(
                "/graphql", params={"query": act}, headers={"accept": accept}
            )
            assert refused.status_code == status
            if status == 405:
                assert refused.headers["allow"] == "POST"
                assert refused.json()["errors"][0]["message"] == NOT_BY_GET
        # The only one for which there are points.
        acted = await client.post("/graphql", json={"query": act})
    assert acted.json() == {"data": {"act": True}}


def gateway(points: int) -> Gateway:
    return Gateway(rates=Rates(MemoryBudgets(), points=points, action_points=1))


async def test_over_a_websocket_the_operation_fails_and_the_connection_stays() -> None:
    async with socket(gateway(points=2).app) as made:
        client = await begun(made)
        for id_ in "ab":
            await client.subscribe(id_, "{ subject }")
            assert (await client.hear())["type"] == "next"
            assert (await client.hear())["type"] == "complete"
        await client.subscribe("c", "subscription { ticks { number } }")
        refused = await client.hear()
        assert (refused["type"], refused["id"]) == ("error", "c")
        (error,) = refused["payload"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["extensions"]["retryAfter"] == 30
        await anyio.sleep(30)
        await client.subscribe("c", "subscription { ticks { number } }")
        while (heard := await client.hear())["type"] == "ping":
            await client.say("pong")
        assert heard["type"] == "next"


async def test_over_a_websocket_too_what_was_not_needed_is_given_back_and_told() -> None:
    async with socket(gateway(points=100).app) as made:
        client = await begun(made)
        for left in (99, 98):
            await client.subscribe("a", "{ many { number } }", extensions={"cost": True})
            answer = (await client.hear())["payload"]
            assert answer["data"] == {"many": [{"number": 1}]}
            told = answer["extensions"]["cost"]
            assert (told["requested"], told["actual"], told["remaining"]) == (5, 1, left)
            assert (await client.hear())["type"] == "complete"


async def test_over_a_websocket_too_nothing_is_given_back_of_what_fails() -> None:
    async with socket(gateway(points=100).app) as made:
        client = await begun(made)
        for left in (95, 90):
            await client.subscribe("a", "{ many { number } broken }", extensions={"cost": True})
            answer = (await client.hear())["payload"]
            assert answer["data"] == {"many": [{"number": 1}], "broken": None}
            told = answer["extensions"]["cost"]
            assert "actual" not in told
            assert (told["requested"], told["remaining"]) == (5, left)
            assert (await client.hear())["type"] == "complete"


async def test_a_stream_of_events_is_refused_by_its_status() -> None:
    made = gateway(points=1)
    transport = httpx2.ASGITransport(app=made.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as web:
        body = {"query": "subscription { ticks(most: 1) { number } }"}
        accept = {"accept": "text/event-stream"}
        first = await web.post("/graphql", json=body, headers=accept)
        second = await web.post("/graphql", json=body, headers=accept)
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["retry-after"] in {"59", "60"}
    assert extensions(second)["code"] == "RATE_LIMITED"


async def test_who_subscribes_pays_once_and_actions_apart() -> None:
    async with socket(gateway(points=1).app) as made:
        client = await begun(made)
        await client.subscribe("a", "subscription { ticks(most: 10) { number } }")
        await client.subscribe("b", "mutation { act(seconds: 0) }")
        await client.subscribe("c", "mutation { act(seconds: 0) }")
        heard = [await client.hear() for _ in range(14)]
    told = [each["type"] for each in heard if each.get("id") == "a"]
    assert told == ["next"] * 10 + ["complete"]
    assert [each["type"] for each in heard if each.get("id") == "b"] == ["next", "complete"]
    assert [each["type"] for each in heard if each.get("id") == "c"] == ["error"]
