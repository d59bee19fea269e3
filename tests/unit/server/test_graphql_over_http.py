"""GraphQL over HTTP: which status, which media type, and one shape for every failure.

https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Callable

import anyio
import pytest
from starlette.testclient import TestClient

from rollgraph.server.graphql import Endpoint
from rollgraph.server.negotiation import GRAPHQL, JSON, answer_type, is_json
from unit.server.conftest import Make

FINE = {"query": "{ __typename }"}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        # No preference: the older way.
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, */*;q=0.8", JSON),
        # One of them.
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        ("Application/GraphQL-Response+JSON", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        # Both: Apollo Client, urql, graphql-request.
        (f"{GRAPHQL},{JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON};q=1.0, {GRAPHQL};q=0.5", JSON),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.50", GRAPHQL),
        # The most specific range counts.
        (f"*/*, {GRAPHQL};q=0.1", JSON),
        (f"*/*;q=0.1, {GRAPHQL};q=0.2", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{GRAPHQL};q=0, application/*", JSON),
        # Neither.
        ("text/html", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=0, {GRAPHQL};q=0.0", None),
        (f"{JSON};q=much", None),
        (f"{JSON};q=nan", None),
        ("nonsense", None),
        (";;,,=", None),
    ],
)
def test_the_answer_is_in_the_media_type_that_is_liked_best(
    accept: str, expected: str | None
) -> None:
    assert answer_type(accept) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ('Application/JSON;Charset="UTF-8"', True),
        ("application/json; profile=x", True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("application/x-application/json", False),
        ("text/plain; type=application/json", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data", False),
        ("", False),
    ],
)
def test_questions_are_json(client: TestClient, content_type: str, expected: bool) -> None:
    assert is_json(content_type) is expected
    answer = client.post(
        "/graphql", content='{"query": "{ __typename }"}', headers={"content-type": content_type}
    )
    assert answer.status_code == (200 if expected else 415)
    if not expected:
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
        assert answer.headers["accept-post"] == "application/json"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_an_answer_says_what_it_is(client: TestClient, accept: str) -> None:
    answer = client.post("/graphql", json=FINE, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "question",
    [
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "query($n: Int!) { __typename @include(if: true) }"},
        {"query": "query($y: Boolean!) { __typename @skip(if: $y) }", "variables": {"y": "no"}},
    ],
    ids=["syntax", "unknown field", "missing variable", "wrong variable"],
)
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
def test_what_is_not_executed_has_no_data(
    client: TestClient, question: dict[str, object], accept: str, status: int
) -> None:
    answer = client.post("/graphql", json=question, headers={"accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert answer.json().keys() == {"errors"}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_what_fails_while_executed_has_data_and_status_200(make: Make, accept: str) -> None:
    answer = make().post("/graphql", json={"query": "{ crash }"}, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.json().keys() == {"data", "errors"}


def test_neither_media_type_is_not_acceptable(client: TestClient) -> None:
    answer = client.post("/graphql", json=FINE, headers={"accept": "text/plain"})
    assert answer.status_code == 406
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "NOT_ACCEPTABLE"
    assert GRAPHQL in error["message"]


def test_failures_are_in_the_media_type_too(client: TestClient) -> None:
    answer = client.put("/graphql", headers={"accept": GRAPHQL})
    assert answer.status_code == 405
    assert answer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_nothing_is_changed_by_get(client: TestClient, accept: str) -> None:
    answer = client.get(
        "/graphql", params={"query": "mutation { __typename }"}, headers={"accept": accept}
    )
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["errors"][0]["message"] == "mutations are not allowed when using GET"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"query": {"a": 1}}, "`query` must be a string"),
        ({"query": "{ __typename }", "variables": "{}"}, "`variables` must be an object"),
        ({"query": "{ __typename }", "variables": [1]}, "`variables` must be an object"),
        ({"query": "{ __typename }", "extensions": 3}, "`extensions` must be an object"),
        ({"query": "{ __typename }", "operationName": 3}, "`operationName` must be a string"),
        ({"query": "{ __typename }", "operationName": {}}, "`operationName` must be a string"),
        ({"query": "{ __typename }", "operationName": "B"}, 'Unknown operation named "B".'),
        ({"query": None}, "No GraphQL query found"),
        ({"query": ""}, "No GraphQL query found"),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_a_question_has_to_be_well_formed(
    client: TestClient, question: dict[str, object], message: str, accept: str
) -> None:
    answer = client.post("/graphql", json=question, headers={"accept": accept})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert message in error["message"]
    assert error["extensions"] == {
        "code": "BAD_REQUEST",
        "requestId": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    "question",
    [
        {"query": "{ __typename }", "variables": "[1]"},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "extensions": "3"},
        {"variables": "{}"},
    ],
)
def test_a_question_in_the_address_too(client: TestClient, question: dict[str, str]) -> None:
    answer = client.get("/graphql", params=question, headers={"accept": GRAPHQL})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


class Waiting(Endpoint):
    """An endpoint whose operations never end."""

    def __init__(self, schema: object, context: Callable[[str], object]) -> None:
        super().__init__(schema, context, timeout=0.05)  # type: ignore[arg-type]

    async def get_context(self, request: object, response: object) -> object:
        await anyio.sleep_forever()
        raise AssertionError


def test_an_operation_may_not_take_for_ever(make: Make) -> None:
    answer = make(endpoint=Waiting).post("/graphql", json=FINE)
    assert answer.status_code == 504
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "OPERATION_TIMED_OUT"
    assert error["message"] == "The operation took longer than 0.05 s: ask for less at once"


def test_the_longest_body_can_be_set(make: Make) -> None:
    class Short(Endpoint):
        def __init__(self, schema: object, context: Callable[[str], object]) -> None:
            super().__init__(schema, context, longest_body=1)  # type: ignore[arg-type]

    answer = make(endpoint=Short).post("/graphql", json=FINE | {"pad": " " * 1024})
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["message"] == "The body has more than 1 KiB"
