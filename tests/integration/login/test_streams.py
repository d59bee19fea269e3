"""A browser's login is good for streams too, and no better there for pages of other sites."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from integration.login.conftest import COOKIE, Browser
from testbed.deadline import wait_until

WATCH = "subscription { clusterConnectionChanged { cluster { name } } }"


def heard(alice: Browser, headers: dict[str, str], payload: object = None) -> Any:
    """The answer to a question on a WebSocket, or how it was closed."""
    cookie = {"Cookie": f"{COOKIE}={alice.cookie(COOKIE)}"}
    url = alice.site.url.replace("http:", "ws:") + "/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    asked = {"query": "{ viewer { subject } }"}
    with connect(
        url, additional_headers=cookie | headers, subprotocols=[protocol], proxy=None
    ) as made:
        try:
            made.send(json.dumps({"type": "connection_init", "payload": payload}))
            made.recv()
            made.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
            return json.loads(made.recv())["payload"]
        except ConnectionClosed:
            return made.close_code, made.close_reason


def test_our_own_page_has_a_websocket_by_the_login(alice: Browser) -> None:
    answer = heard(alice, {"Origin": alice.site.url})
    assert answer == {"data": {"viewer": {"subject": "alice@example.com"}}}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "https://evil.example.com"}],
    ids=str,
)
def test_no_other_page_has(alice: Browser, headers: dict[str, str]) -> None:
    code, reason = heard(alice, headers)
    assert (code, reason) == (
        4403,
        "Origin is not Rollgraph's: only its own pages may use a login",
    )


def test_a_token_that_is_not_good_goes_before_a_login_that_is(alice: Browser) -> None:
    payload = {"Authorization": "Bearer a.b.c"}
    code, _ = heard(alice, {"Origin": alice.site.url}, payload)
    assert code == 4403


def test_what_a_client_shows_is_in_no_log(alice: Browser) -> None:
    payload = {"Authorization": "Bearer sesame.sesame.sesame"}
    assert heard(alice, {"Origin": alice.site.url}, payload)[0] == 4403
    wait_until(lambda: _not_told(alice), seconds=10, what="the log has a line of the socket")
    log = alice.site.log.read_text("utf-8")
    assert "sesame" not in log
    assert alice.cookie(COOKIE) not in log


def _not_told(alice: Browser) -> str | None:
    told = "code=4403" in alice.site.log.read_text("utf-8")
    return None if told else "no socket was closed with 4403"


def test_our_own_page_has_events_by_the_login(alice: Browser) -> None:
    headers = {"accept": "text/event-stream", "origin": alice.site.url}
    own = {**headers, "x-rollgraph-csrf": alice.csrf}
    question = {"query": WATCH}
    with alice.client.stream("POST", "/graphql", json=question, headers=own) as answer:
        lines = answer.iter_lines()
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: ")) == {
        "data": {"clusterConnectionChanged": {"cluster": {"name": "dead"}}}
    }
    assert alice.client.post("/graphql", json=question, headers=headers).status_code == 403


def test_a_browsers_event_source_alone_is_not_enough(alice: Browser) -> None:
    headers = {"accept": "text/event-stream"}
    refused = alice.client.get("/graphql", params={"query": WATCH}, headers=headers)
    assert refused.status_code == 403
