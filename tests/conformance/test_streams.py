"""Others' clients subscribe: every close code, breaks and resumption, and each in its own ways."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from conformance.streaming import LONGEST, ticking
from conformance.suite import Suites
from rollgraph.server.streams.messages import Code
from rollgraph.server.streams.serving import STOPPING

ERRORS = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
# A close code in its table, and whether clients come back.
CODES = re.compile(r"^\| `(\d{4})` \|.*\| ((?:yes|no)[^|]*) \|$", re.MULTILINE)

TICKS = [{"data": {"ticks": {"number": number}}} for number in range(3)]
NAMED = "{ rollouts(first: 1) { nodes { name namespace clusterName } } }"
PROGRESS = """
subscription S($rollout: RolloutRefInput!) {
  stepProgress(rollout: $rollout) { kind cursor rollout { name } }
}
"""


@pytest.fixture(scope="module")
def stream() -> Iterator[str]:
    """A gateway with a stream of numbers."""
    with ticking() as url:
        yield url


@pytest.fixture(scope="module")
def told(suites: Suites, stream: str) -> dict[str, Any]:
    """What graphql-ws's client told of it."""
    found: dict[str, Any] = suites.ask("websocket.mjs", f"ws://{stream}/graphql")
    return found


@pytest.fixture(scope="module")
def events(suites: Suites, stream: str) -> dict[str, Any]:
    """What graphql-sse's client told of it."""
    found: dict[str, Any] = suites.ask("events.mjs", f"http://{stream}/graphql")
    return found


@pytest.fixture(scope="module")
def parts(suites: Suites, stream: str) -> dict[str, Any]:
    """What Apollo Client told of its multipart."""
    found: dict[str, Any] = suites.ask("multipart.mjs", f"http://{stream}/graphql")
    return found


def test_every_close_code_is_as_graphql_ws_has_it(told: dict[str, Any]) -> None:
    assert told["codes"] == {
        "invalidJson": [4400, "expected JSON"],
        "unknownType": [4400, "no message has the type 'start'"],
        "unauthorized": [4401, "Unauthorized: connection_init comes first"],
        "badToken": [4403, "the token has expired"],
        "noToken": [4403, "log in first: there is neither a token nor a login"],
        "noProtocol": [4406, "Subprotocol not acceptable: graphql-transport-ws"],
        "initTimeout": [4408, "Connection initialisation timeout"],
        "taken": [4409, "Subscriber for 1 already exists"],
        "initAgain": [4429, "Too many initialisation requests"],
        "noPong": [1001, "no pong"],
        "restart": [1012, STOPPING],
        "nobodyKnows": [1013, "the identity provider does not answer"],
        "bug": [4500, "Internal error"],
        "tooLong": [1009, f"frame exceeds limit of {LONGEST} bytes"],
    }
    assert {code for code, _ in told["codes"].values()} == {*Code, 4500, 1009}


def test_graphql_ws_comes_back_after_those_codes_that_the_docs_say(suites: Suites) -> None:
    explained = dict(CODES.findall(ERRORS.read_text(encoding="utf-8")))
    assert {*explained} == {*map(str, map(int, Code)), "4500"}
    found = suites.ask("closings.mjs", *explained)
    assert found == {code: says.startswith("yes") for code, says in explained.items()}


def test_handshakes_are_refused_with_a_status(told: dict[str, Any]) -> None:
    assert told["handshakes"] == {"anotherSite": [403, None], "stopping": [503, "5"]}


def test_graphql_ws_gets_answers_and_errors(told: dict[str, Any]) -> None:
    assert told["query"] == [{"data": {"subject": "anna"}}]
    assert told["mutation"] == [{"data": {"act": True}}]
    assert told["subscription"] == TICKS
    for operation, code in [
        ("invalid", "GRAPHQL_VALIDATION_FAILED"),
        ("syntax", "GRAPHQL_PARSE_FAILED"),
    ]:
        (refused,) = told[operation]
        assert refused["errors"][0]["extensions"]["code"] == code


def test_graphql_ws_goes_on_after_each_restart_where_it_was(told: dict[str, Any]) -> None:
    assert told["resumed"] == list(range(20))


def test_graphql_ws_comes_back_with_another_token_when_one_has_expired(
    told: dict[str, Any],
) -> None:
    renewed = told["renewed"]
    assert renewed["errors"]["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
    assert renewed["closings"][0] == [4403, "the login has ended: log in again"]
    assert renewed["after"] == {"data": {"subject": "anna"}}
    assert len(renewed["shown"]) == 2


def test_graphql_sse_gets_answers_and_errors(events: dict[str, Any]) -> None:
    assert events["query"] == [{"data": {"subject": "anna"}}]
    assert events["subscription"] == TICKS
    (refused,) = events["invalid"]
    assert refused["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert [answer["status"] for answer in events["stranger"]] == [401]


def test_graphql_sse_is_told_that_a_token_has_expired(events: dict[str, Any]) -> None:
    tick, last = events["expired"]
    assert tick == TICKS[0]
    assert last["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"


def test_graphql_sse_comes_back_after_a_restart(events: dict[str, Any]) -> None:
    assert len(events["broken"]) == 5
    assert events["connects"] == [False, True]


def test_graphql_sse_goes_on_after_each_restart_where_it_was(events: dict[str, Any]) -> None:
    assert events["resumed"] == list(range(15))
    assert events["resumedAfter"] == list(range(15))
    assert events["stopping"] == [503, "5"]


def test_apollo_clients_multipart_gets_answers_and_no_signs_of_life(parts: dict[str, Any]) -> None:
    for what, count in [("few", 3), ("quiet", 2)]:
        *ticks, end = parts[what]
        assert [tick["data"]["ticks"]["number"] for tick in ticks] == list(range(count))
        assert end == "complete"


def test_apollo_clients_multipart_is_told_what_went_wrong(parts: dict[str, Any]) -> None:
    for what, name, code in [
        ("invalid", "CombinedGraphQLErrors", "GRAPHQL_VALIDATION_FAILED"),
        ("bug", "CombinedGraphQLErrors", "INTERNAL_SERVER_ERROR"),
        ("expired", "CombinedGraphQLErrors", "TOKEN_EXPIRED"),
        ("restarted", "CombinedProtocolErrors", "UNAVAILABLE"),
    ]:
        failed = next(answer for answer in parts[what] if "errors" in answer)
        assert failed["name"] == name
        assert failed["errors"][0]["extensions"]["code"] == code


def test_apollo_client_and_urql_subscribe_in_each_way(suites: Suites, gateway: str) -> None:
    variables = {"rollout": {"key": a_rollout(gateway)}}
    found = suites.ask("clients.mjs", gateway, json.dumps(variables))
    assert set(found) == {"apolloWebSocket", "apolloMultipart", "urqlWebSocket", "urqlEvents"}
    for event in found.values():
        assert event["kind"] == "SNAPSHOT"
        assert event["rollout"]["name"] == variables["rollout"]["key"]["name"]


async def test_gql_of_python_subscribes(gateway: str) -> None:
    document = gql(PROGRESS)
    document.variable_values = {"rollout": {"key": a_rollout(gateway)}}
    url = gateway.replace("http:", "ws:")
    async with Client(transport=WebsocketsTransport(url=url)) as session:
        async for answer in session.subscribe(document):
            assert answer["stepProgress"]["kind"] == "SNAPSHOT"
            break


def a_rollout(gateway: str) -> dict[str, str]:
    """One that there is."""
    answer = httpx2.post(gateway, json={"query": NAMED}, trust_env=False)
    (node,) = json.loads(answer.content)["data"]["rollouts"]["nodes"]
    return {
        "cluster": node["clusterName"],
        "namespace": node["namespace"],
        "name": node["name"],
    }
