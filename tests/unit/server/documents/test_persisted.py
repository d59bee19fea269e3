"""Documents that need not be sent: by GET and POST, over WebSockets and streams of events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from structlog.testing import capture_logs

from fakes.wire import socket, stream
from rollgraph.adapters.documentfiles import JsonFiles
from rollgraph.adapters.memory.documents import MemoryDocuments
from rollgraph.core.documents import digest
from rollgraph.core.errors import BrokerError
from rollgraph.server.answers import Answers
from rollgraph.server.documents.persisted import Persisted
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.settings import Only
from unit.server.streams.test_websocket import begun
from unit.server.streams.ticking import SCHEMA, Gateway

SUBJECT = "query Subject { subject }"
ANSWER = {"data": {"subject": "local"}}
TICKS = "subscription Ticks { ticks(most: 1) { number } }"
TICK = {"data": {"ticks": {"number": 0}}}
GRAPHQL = "application/graphql-response+json"


def hashed(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}


@dataclass
class Elsewhere:
    """What all gateways remember, when it answers."""

    inner: MemoryDocuments = field(default_factory=MemoryDocuments)
    error: Exception | None = None
    takes: float = 0.0

    async def get(self, digest: str) -> str | None:
        await self._wait()
        return await self.inner.get(digest)

    async def put(self, digest: str, text: str) -> None:
        await self._wait()
        await self.inner.put(digest, text)

    async def _wait(self) -> None:
        await anyio.sleep(self.takes)
        if self.error is not None:
            raise self.error


def gateway(*, shared: Elsewhere | None = None) -> Gateway:
    return Gateway(documents=Persisted(MemoryDocuments(), shared))


async def trusting(folder: Path, only: Only, **texts: str) -> Gateway:
    path = folder / "documents.json"
    path.write_text(json.dumps(texts), "utf-8")
    trusted = Trusted(JsonFiles([path]), SCHEMA.complaints)
    await trusted.load()
    return Gateway(documents=Persisted(MemoryDocuments(), None, trusted, only))


async def post(made: Gateway, accept: str = "*/*", **body: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=made.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as web:
        return await web.post("/graphql", json=body, headers={"accept": accept})


async def get(made: Gateway, **parameters: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=made.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as web:
        return await web.get("/graphql", params=parameters)


def error(answer: httpx2.Response) -> tuple[str, str]:
    body = answer.json()
    assert "data" not in body
    (found,) = body["errors"]
    return found["extensions"]["code"], found["message"]


async def test_a_hash_that_nobody_knows_is_told_in_apollo_s_words() -> None:
    answer = await post(gateway(), extensions=hashed(SUBJECT))
    assert answer.status_code == 200
    assert error(answer) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    newer = await post(gateway(), GRAPHQL, extensions=hashed(SUBJECT))
    assert newer.status_code == 400
    assert error(newer) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


async def test_a_document_that_was_sent_with_its_hash_need_not_be_sent_again() -> None:
    made = gateway()
    assert (await post(made, query=SUBJECT, extensions=hashed(SUBJECT))).json() == ANSWER
    assert (await post(made, extensions=hashed(SUBJECT))).json() == ANSWER
    extensions = json.dumps(hashed(SUBJECT))
    assert (await get(made, extensions=extensions)).json() == ANSWER


async def test_a_document_can_be_sent_by_get_too() -> None:
    made = gateway()
    extensions = json.dumps(hashed(SUBJECT))
    assert "errors" in (await get(made, extensions=extensions)).json()
    assert (await get(made, query=SUBJECT, extensions=extensions)).json() == ANSWER
    assert (await get(made, extensions=extensions)).json() == ANSWER


async def test_variables_and_operation_names_go_with_a_hash() -> None:
    made = gateway()
    both = "query A($s: Float!) { slow(seconds: $s) } query B { subject }"
    await post(made, query=both, operationName="B", extensions=hashed(both))
    asked: dict[str, Any] = {"operationName": "A", "variables": {"s": 1}}
    answer = await post(made, extensions=hashed(both), **asked)
    assert answer.json() == {"data": {"slow": True}}


async def test_a_document_with_another_hash_is_refused_and_not_remembered() -> None:
    made = gateway()
    answer = await post(made, query="{ __typename }", extensions=hashed(SUBJECT))
    assert error(answer) == (
        "PERSISTED_QUERY_HASH_MISMATCH",
        "provided sha does not match query: it has another SHA-256",
    )
    assert error(await post(made, extensions=hashed(SUBJECT)))[0] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "text", ["{ nonsense }", "{ subject", "query A { subject } query B { subject }"]
)
async def test_what_makes_no_sense_is_not_remembered(text: str) -> None:
    made = gateway()
    assert "errors" in (await post(made, query=text, extensions=hashed(text))).json()
    assert error(await post(made, extensions=hashed(text)))[0] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "wrong",
    [
        "yes",
        {"version": 2, "sha256Hash": "a"},
        {"version": 1},
        {"version": 1, "sha256Hash": 5},
        {"version": 1, "sha256Hash": ""},
    ],
)
async def test_a_malformed_extension_is_told(wrong: object) -> None:
    answer = await post(gateway(), query=SUBJECT, extensions={"persistedQuery": wrong})
    code, message = error(answer)
    assert code == "BAD_USER_INPUT"
    assert message.startswith("extensions.persistedQuery: expected")


async def test_mutations_are_not_asked_by_get_whatever_stands_for_them() -> None:
    made = gateway()
    act = "mutation { act(seconds: 0) }"
    assert (await post(made, query=act, extensions=hashed(act))).json() == {"data": {"act": True}}
    answer = await get(made, extensions=json.dumps(hashed(act)))
    assert answer.status_code == 405
    assert (await get(made, documentId=f"sha256:{digest(act)}")).status_code == 405


async def test_a_document_id_is_as_good_as_a_hash() -> None:
    made = gateway()
    await post(made, query=SUBJECT, extensions=hashed(SUBJECT))
    id_ = f"sha256:{digest(SUBJECT)}"
    assert (await post(made, documentId=id_)).json() == ANSWER
    assert (await get(made, documentId=id_)).json() == ANSWER


async def test_a_document_id_that_nobody_knows_is_told() -> None:
    for answer in (await post(gateway(), documentId="abc"), await get(gateway(), documentId="abc")):
        assert error(answer) == (
            "PERSISTED_QUERY_NOT_FOUND",
            "No document has the id abc: send `query`",
        )
    assert (await post(gateway(), documentId=5)).status_code == 400


async def test_who_asks_for_nothing_is_told_as_ever() -> None:
    assert (await post(gateway(), variables={})).status_code == 400


async def test_gateways_remember_together() -> None:
    shared = Elsewhere()
    await post(gateway(shared=shared), query=SUBJECT, extensions=hashed(SUBJECT))
    other = gateway(shared=shared)
    assert (await post(other, extensions=hashed(SUBJECT))).json() == ANSWER
    shared.error = BrokerError("away")
    assert (await post(other, extensions=hashed(SUBJECT))).json() == ANSWER


async def test_redis_is_not_asked_for_what_can_be_no_hash() -> None:
    elsewhere = Elsewhere()
    await elsewhere.inner.put("x", SUBJECT)
    asked = {"persistedQuery": {"version": 1, "sha256Hash": "x"}}
    code, _ = error(await post(gateway(shared=elsewhere), extensions=asked))
    assert code == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("fault", [{"error": BrokerError("away")}, {"takes": 3600.0}])
async def test_while_redis_is_away_each_gateway_remembers_alone(fault: dict[str, Any]) -> None:
    made = gateway(shared=Elsewhere(**fault))
    begun = anyio.current_time()
    code, _ = error(await post(made, extensions=hashed(SUBJECT)))
    assert code == "PERSISTED_QUERY_NOT_FOUND"
    assert (await post(made, query=SUBJECT, extensions=hashed(SUBJECT))).json() == ANSWER
    assert (await post(made, extensions=hashed(SUBJECT))).json() == ANSWER
    assert anyio.current_time() - begun < 1


async def test_a_gateway_that_remembers_nothing_says_so() -> None:
    made = Gateway(documents=Persisted(None))
    answer = await post(made, extensions=hashed(SUBJECT))
    assert error(answer) == ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
    assert (await post(made, query=SUBJECT, extensions=hashed(SUBJECT))).json() == ANSWER


@pytest.mark.parametrize(
    "payload",
    [{"extensions": hashed(TICKS)}, {"documentId": f"sha256:{digest(TICKS)}", "query": None}],
)
async def test_over_a_websocket_a_hash_is_enough(payload: Mapping[str, Any]) -> None:
    async with socket(gateway().app) as made:
        client = await begun(made)
        await client.say("subscribe", id="a", payload=payload)
        unknown = await client.hear()
        assert unknown["type"] == "error"
        assert unknown["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        for said in ({"query": TICKS, "extensions": hashed(TICKS)}, payload):
            await client.say("subscribe", id="a", payload=said)
            assert await client.hear() == {"type": "next", "id": "a", "payload": TICK}
            assert await client.hear() == {"type": "complete", "id": "a"}


async def test_over_a_websocket_something_has_to_be_asked() -> None:
    async with socket(gateway().app) as made:
        client = await begun(made)
        await client.say("subscribe", id="a", payload={"extensions": {"cost": True}})
        closed = await client.line.hear()
        assert (closed["code"], closed["reason"]) == (
            4400,
            "subscribe: expected a payload with a query",
        )


async def test_a_stream_of_events_can_be_asked_by_a_hash() -> None:
    made = gateway()
    answer = await post(made, "text/event-stream", extensions=hashed(TICKS))
    assert error(answer)[0] == "PERSISTED_QUERY_NOT_FOUND"
    for body in ({"query": TICKS, "extensions": hashed(TICKS)}, {"extensions": hashed(TICKS)}):
        async with stream(made.app, body) as opened:
            told = await opened.rest()
        assert f"event: next\ndata: {json.dumps(TICK, separators=(',', ':'))}" in told.decode()


async def test_trusted_documents_are_asked_for_by_their_ids(tmp_path: Path) -> None:
    made = await trusting(tmp_path, Only.OFF, subject=SUBJECT)
    assert (await post(made, documentId="subject")).json() == ANSWER
    apollo = {"persistedQuery": {"version": 1, "sha256Hash": "subject"}}
    assert (await post(made, extensions=apollo)).json() == ANSWER
    assert (await post(made, query="{ __typename }")).json() == {"data": {"__typename": "Query"}}


async def test_streams_are_asked_for_by_any_id_of_a_trusted_document(tmp_path: Path) -> None:
    made = await trusting(tmp_path, Only.REFUSE, ticks=TICKS)
    apollo = {"persistedQuery": {"version": 1, "sha256Hash": "ticks"}}
    for body in ({"extensions": apollo}, {"documentId": "ticks"}):
        async with stream(made.app, body) as opened:
            told = await opened.rest()
        assert f"event: next\ndata: {json.dumps(TICK, separators=(',', ':'))}" in told.decode()
    other = {"query": "subscription { ticks { number } }", "extensions": apollo}
    answer = await post(made, "text/event-stream", **other)
    assert error(answer)[0] == "PERSISTED_QUERY_HASH_MISMATCH"


async def test_others_are_refused_where_only_trusted_ones_are_answered(tmp_path: Path) -> None:
    made = await trusting(tmp_path, Only.REFUSE, subject=SUBJECT, ticks=TICKS)
    other = "{ __typename }"
    for body in ({"query": other}, {"query": other, "extensions": hashed(other)}):
        assert error(await post(made, **body))[0] == "DOCUMENT_NOT_TRUSTED"
    answer = await post(made, extensions=hashed(other))
    assert error(answer)[0] == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert error(await get(made, query=other))[0] == "DOCUMENT_NOT_TRUSTED"
    assert (await post(made, query=SUBJECT)).json() == ANSWER
    assert (await post(made, extensions=hashed(SUBJECT))).json() == ANSWER
    async with socket(made.app) as opened:
        client = await begun(opened)
        await client.subscribe("a", "subscription { ticks { number } }")
        refused = await client.hear()
        assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        await client.subscribe("b", TICKS)
        assert (await client.hear())["payload"] == TICK


async def test_others_are_answered_and_logged_once_where_they_are_to_be_reported(
    tmp_path: Path,
) -> None:
    made = await trusting(tmp_path, Only.REPORT, subject=SUBJECT)
    other = "query Other { __typename }"
    with capture_logs() as logs:
        for _ in range(3):
            answer = await post(made, query=other, operationName="Other", extensions=hashed(other))
            assert answer.json() == {"data": {"__typename": "Query"}}
            assert (await post(made, extensions=hashed(other))).status_code == 200
            assert (await post(made, query=SUBJECT)).json() == ANSWER
    told = [log for log in logs if log["event"] == "document_not_trusted"]
    assert [(log["sha256"], log["operation"]) for log in told] == [(digest(other), "Other")]


async def test_an_answer_is_not_kept_for_an_id_that_stands_for_another_document(
    tmp_path: Path,
) -> None:
    path = tmp_path / "documents.json"
    path.write_text('{"a": "{ one: __typename }"}', "utf-8")
    trusted = Trusted(JsonFiles([path]), SCHEMA.complaints)
    await trusted.load()
    made = Gateway(documents=Persisted(None, None, trusted), answers=Answers(lambda: 0))
    for _ in range(2):
        assert (await post(made, documentId="a")).json() == {"data": {"one": "Query"}}
    path.write_text('{"a": "{ two: __typename }"}', "utf-8")
    await trusted.load()
    assert (await post(made, documentId="a")).json() == {"data": {"two": "Query"}}
