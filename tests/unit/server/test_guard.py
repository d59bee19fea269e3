import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from rollgraph.server.guard import objection

OURS = "127.0.0.1:8000"


@pytest.mark.parametrize(
    "host",
    [OURS, "127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.8.8.8:9", "localhost:1"],
)
def test_serves_loopback_names(host: str) -> None:
    assert objection("POST", Headers({"host": host})) == ""


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:8000",
        "localhost.example",
        "127.0.0.1.example",
        "10.0.0.1:8000",
        "[::]:8000",
        "[::1",
        "example@127.0.0.1.example",
        "",
    ],
)
def test_refuses_other_names(host: str) -> None:
    assert "Host" in objection("GET", Headers({"host": host}))


def test_refuses_a_request_without_a_name() -> None:
    assert "Host" in objection("GET", Headers({}))


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "https://127.0.0.1:8000", ""],
)
def test_refuses_pages_of_other_origins(origin: str) -> None:
    assert "origins" in objection("POST", Headers({"host": OURS, "origin": origin}))


def test_serves_its_own_pages() -> None:
    own = {"host": OURS, "origin": f"http://{OURS}", "sec-fetch-site": "same-origin"}
    assert objection("POST", Headers(own)) == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything-new"])
def test_refuses_requests_that_a_page_of_another_site_embeds(site: str) -> None:
    image = {"host": OURS, "sec-fetch-site": site, "sec-fetch-dest": "image"}
    assert "sites" in objection("GET", Headers(image))


def test_serves_who_follows_a_link() -> None:
    link = {"host": OURS, "sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    assert objection("GET", Headers(link)) == ""
    assert "sites" in objection("POST", Headers(link))  # a form


def test_answers_with_a_reason(client: TestClient) -> None:
    answer = client.post("/graphql", headers={"origin": "https://evil.example"}, json={})
    assert answer.status_code == 403
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "origins" in error["message"]
