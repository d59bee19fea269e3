"""Settings reach what they are about."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rollgraph.schema.limits.bounds import DEFAULTS
from rollgraph.server import answering, bootstrap, clusters
from rollgraph.server.app import create_app
from rollgraph.server.bodies import LONGEST_BODY
from rollgraph.server.deadline import ACTION_TIMEOUT, TIMEOUT
from rollgraph.server.settings import Http, Limits, Settings, Spokes


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text("{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: []}")
    return file


def client(kubeconfig: Path, limits: Limits) -> TestClient:
    settings = Settings(
        http=Http(graphiql=False), spokes=Spokes(kubeconfig=(kubeconfig,)), limits=limits
    )
    services = bootstrap.services(settings, clusters.source(settings.spokes, {}))
    app = create_app(services, (), on_death=lambda _: None)
    return TestClient(app, base_url="http://127.0.0.1:8000")


def test_the_defaults_are_told_once() -> None:
    assert answering.bounds(Limits()) == DEFAULTS
    assert (Limits().body, Limits().timeout) == (LONGEST_BODY, TIMEOUT)
    assert Limits().action_timeout == ACTION_TIMEOUT


@pytest.mark.parametrize(
    ("limits", "query", "code"),
    [
        (Limits(tokens=5), "{ gateway { version } }", "QUERY_TOO_LONG"),
        (Limits(depth=1), "{ gateway { version } }", "QUERY_TOO_DEEP"),
        (Limits(cost=1), "{ clusters { nodes { name } } }", "QUERY_TOO_COSTLY"),
        (Limits(aliases=0), "{ a: __typename }", "TOO_MANY_ALIASES"),
        (Limits(root_fields=1), "{ __typename gateway { version } }", "TOO_MANY_ROOT_FIELDS"),
        (Limits(directives=0), "{ __typename @skip(if: false) }", "TOO_MANY_DIRECTIVES"),
        (Limits(introspection=False), "{ __schema { description } }", "INTROSPECTION_DISABLED"),
        (Limits(body=1), "{ __typename }" + " " * 1024, "CONTENT_TOO_LARGE"),
    ],
)
def test_limits_hold(kubeconfig: Path, limits: Limits, query: str, code: str) -> None:
    with client(kubeconfig, limits) as made:
        (error,) = made.post("/graphql", json={"query": query}).json()["errors"]
    assert error["extensions"]["code"] == code


def test_limits_can_be_asked_for(kubeconfig: Path) -> None:
    query = "{ gateway { limits { maxDepth maxCost maxTokens } } }"
    with client(kubeconfig, Limits(depth=7, cost=70)) as made:
        answer = made.post("/graphql", json={"query": query}).json()
    told = answer["data"]["gateway"]["limits"]
    assert told == {"maxDepth": 7, "maxCost": 70, "maxTokens": 2000}
