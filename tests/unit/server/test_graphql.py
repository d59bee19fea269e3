from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from rollgraph.server.bodies import LONGEST_BODY

LONGEST = LONGEST_BODY * 1024
JSON = {"content-type": "application/json"}


def test_answers_by_post(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "{ __typename }"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json() == {"data": {"__typename": "Query"}}


def test_answers_by_get(client: TestClient) -> None:
    query = "query($yes: Boolean!) { __typename @include(if: $yes) }"
    answer = client.get("/graphql", params={"query": query, "variables": '{"yes": true}'})
    assert answer.json() == {"data": {"__typename": "Query"}}


def test_shows_people_a_page_that_loads_nothing(client: TestClient) -> None:
    answer = client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "curl" in answer.text
    assert "script" not in answer.text
    assert "src=" not in answer.text


def test_a_visit_with_a_question_gets_its_answer(client: TestClient) -> None:
    answer = client.get("/graphql?query={__typename}", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Unable to parse request body as JSON"),
        (b"{", "Unable to parse request body as JSON"),
        (b"\xff", "Unable to parse request body as JSON"),
        (b"3", "The body is not a JSON object"),
        (b"null", "The body is not a JSON object"),
        (b'"{ __typename }"', "The body is not a JSON object"),
        (b"{}", "No GraphQL query found in the request"),
        (b'[{"query": "{ __typename }"}]', "Batching is not enabled"),
        (b"[3]", "Batching is not enabled"),
        (b'{"query": 3}', "The GraphQL operation's `query` must be a string or null, if provided."),
    ],
)
def test_says_what_is_wrong_with_a_body(client: TestClient, body: bytes, message: str) -> None:
    answer = client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["message"] == message
    assert error["extensions"] == {
        "code": "BAD_REQUEST",
        "requestId": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_refuses_other_methods(client: TestClient, method: str) -> None:
    answer = client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


def test_refuses_a_long_body_that_says_so(client: TestClient) -> None:
    _refused(client, b" " * (LONGEST + 1))


def test_refuses_a_long_body_that_does_not_say_so(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(5):
            yield b" " * (LONGEST // 4)

    _refused(client, chunks())


def _refused(client: TestClient, content: bytes | Iterator[bytes]) -> None:
    answer = client.post("/graphql", content=content, headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    (error,) = answer.json()["errors"]
    assert error["message"] == "The body has more than 256 KiB"
    assert error["extensions"]["code"] == "CONTENT_TOO_LARGE"


def test_takes_a_body_of_just_that_length(client: TestClient) -> None:
    body = b'{"query": "{ __typename }"}'.ljust(LONGEST)
    assert client.post("/graphql", content=body, headers=JSON).status_code == 200


def test_has_no_websockets(client: TestClient) -> None:
    answer = client.get("/graphql", headers={"connection": "upgrade", "upgrade": "websocket"})
    assert answer.status_code == 400
