from contextlib import nullcontext
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from rollgraph.ports import Tracing
from rollgraph.server.journal import Journal
from unit.server.conftest import Crashing, Make


def test_makes_an_id(client: TestClient) -> None:
    first, second = (client.get("/livez").headers["x-request-id"] for _ in range(2))
    assert len(first) == 20
    assert first != second


def test_takes_a_sane_id(client: TestClient) -> None:
    answer = client.get("/livez", headers={"x-request-id": "proxy-1/a_b.c:d+e="})
    assert answer.headers["x-request-id"] == "proxy-1/a_b.c:d+e="


@pytest.mark.parametrize("given", [b"", b"a b", b"a\tb", b'{"a":1}', b"\xe4", b"x" * 129])
def test_replaces_an_id_that_could_hide_something(client: TestClient, given: bytes) -> None:
    answer = client.get("/livez", headers=[(b"x-request-id", given)])
    assert len(answer.headers["x-request-id"]) == 20


def test_the_id_reaches_resolvers(client: TestClient) -> None:
    answer = client.get("/graphql?query={requestId}", headers={"x-request-id": "mine"})
    assert answer.json() == {"data": {"requestId": "mine"}}


def test_writes_a_line_per_request(client: TestClient) -> None:
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        client.get("/nope", headers={"x-request-id": "mine"})
        client.get("/livez")
    wanted = ("event", "log_level", "method", "path", "status")
    assert [tuple(line[key] for key in wanted) for line in lines] == [
        ("request", "info", "GET", "/nope", 404),
        ("request", "debug", "GET", "/livez", 200),
    ]
    assert lines[0]["request_id"] == "mine"
    assert lines[0]["milliseconds"] >= 0


def test_a_path_is_logged_as_it_was_sent(client: TestClient) -> None:
    with capture_logs() as lines:
        client.get("/%1b[2J%0a?query=secret")
    assert lines[0]["path"] == "/%1b[2J%0a"


def test_forbids_what_a_browser_could_do_with_an_answer(client: TestClient) -> None:
    headers = client.get("/nope").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_masks_a_crash(make: Make) -> None:
    with capture_logs() as lines:
        answer = make(endpoint=Crashing).post(
            "/graphql", json={"query": "{ requestId }"}, headers={"x-request-id": "mine"}
        )
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json() == {
        "errors": [
            {
                "message": "Internal error",
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "mine"},
            }
        ]
    }
    assert [line["event"] for line in lines] == ["request_failed", "request"]
    assert lines[0]["exc_info"]
    assert lines[1]["status"] == 500


async def test_breaks_the_connection_when_half_an_answer_is_out() -> None:
    async def halfway(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise NotImplementedError

    scope = {"type": "http", "method": "GET", "path": "/graphql", "headers": []}
    with capture_logs() as lines, pytest.raises(RuntimeError, match="in the middle"):
        await Journal(halfway)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [line["event"] for line in lines] == ["request_failed", "request"]


class Followed(Tracing):
    """Remembers whose parts and neighbours spans are."""

    follows = True

    def __init__(self) -> None:
        self.theirs: list[dict[str, object]] = []

    def span(self, name: str, *_: object, said: object = None, **theirs: Any) -> Any:
        self.theirs.append({as_: what for as_, what in theirs.items() if what})
        return nullcontext("")


@pytest.mark.parametrize(("join", "as_"), [(False, "link"), (True, "parent")])
async def test_a_request_is_part_of_its_caller_s_trace_only_where_that_is_set(
    join: bool, as_: str
) -> None:
    callers = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    async def nothing(*_: Any) -> Any:
        pass

    followed = Followed()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "headers": [(b"traceparent", callers.encode())],
    }
    await Journal(nothing, followed, join=join)(scope, nothing, nothing)
    assert followed.theirs == [{as_: callers}]
