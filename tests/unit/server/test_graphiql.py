"""What is served for GraphiQL; that it works is tested in tests/browser."""

import gzip
import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from starlette.testclient import TestClient

from fakes.fleet import FakeSource
from rollgraph.server import graphiql
from rollgraph.server.app import create_app
from rollgraph.server.bootstrap import services
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.page import PAGE
from rollgraph.server.settings import Http, Settings
from unit.server.conftest import Make

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "api" / "graphiql" / "src" / "examples").glob("*.graphql"))
BROWSER = {"accept": "text/html,*/*;q=0.8"}
SCRIPT = b"globalThis.loaded = true;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as the build leaves it."""
    (tmp_path / "index.html").write_text("<title>Rollgraph</title>", "utf-8")
    for name in ("main-A1.js", "main-B2.css", "codicon-C3.ttf", "icon-D4.svg"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "licenses.txt").write_text("MIT", "utf-8")
    return tmp_path


@pytest.fixture
def bundle(folder: Path) -> Graphiql:
    found = graphiql.load(folder)
    assert found is not None
    return found


@pytest.fixture
def client(make: Make, bundle: Graphiql) -> TestClient:
    return make(graphiql=bundle)


def test_a_browser_gets_the_page(client: TestClient) -> None:
    answer = client.get("/graphql", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == "<title>Rollgraph</title>"
    assert answer.headers["cache-control"] == "no-store"


def test_a_program_does_not(client: TestClient) -> None:
    assert client.post("/graphql", json={"query": "{ __typename }"}).json()["data"]
    assert client.get("/graphql", headers={"accept": "*/*"}).status_code == 400


def test_the_page_may_load_and_ask_nothing_from_elsewhere(client: TestClient) -> None:
    headers = client.get("/graphql", headers=BROWSER).headers
    policy = dict(
        directive.split(" ", 1) for directive in headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    local = {"'none'", "'self'", "data:", "'unsafe-inline'"}
    assert {source for sources in policy.values() for source in sources.split()} <= local
    assert [name for name, sources in policy.items() if "unsafe" in sources] == ["style-src"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("main-A1.js", "text/javascript; charset=utf-8"),
        ("main-B2.css", "text/css; charset=utf-8"),
        ("codicon-C3.ttf", "font/ttf"),
        ("icon-D4.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_kept_for_ever(client: TestClient, name: str, media_type: str) -> None:
    answer = client.get(f"/static/graphiql/{name}", headers={"accept-encoding": "gzip, br"})
    assert answer.status_code == 200
    assert answer.content == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["identity", "br"])
def test_a_file_is_plain_for_who_wants_it_plain(client: TestClient, encoding: str) -> None:
    answer = client.get("/static/graphiql/main-A1.js", headers={"accept-encoding": encoding})
    assert answer.content == SCRIPT
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "nope.js",
        "main-A1.js.gz",
        "index.html",
        "licenses.txt",
        "../graphiql.py",
        "..%2f..%2fgraphiql.py",
        "",
    ],
)
def test_nothing_else_of_the_disk_is_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/static/graphiql/{path}")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_without_a_bundle_there_is_none(tmp_path: Path) -> None:
    assert graphiql.load(tmp_path) is None
    assert graphiql.load(tmp_path / "nowhere") is None


def visited(settings: Settings) -> str:
    """What a browser gets from everything put together."""
    app = create_app(services(settings, FakeSource()), (), on_death=lambda _: None)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        return client.get("/graphql", headers=BROWSER).text


def test_it_can_be_turned_off(bundle: Graphiql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphiql, "load", lambda: bundle)
    assert visited(Settings()) == "<title>Rollgraph</title>"
    assert visited(Settings(http=Http(graphiql=False))) == PAGE


def test_a_page_says_how_to_build_it_where_it_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphiql, "load", lambda: None)
    text = visited(Settings())
    assert "uv sync --reinstall-package rollgraph" in text
    assert text.rstrip().endswith("</html>")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_fits_the_schema(path: Path) -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text("utf-8"))
    assert validate(schema, parse(path.read_text("utf-8"))) == []


def test_the_examples_are_those_of_the_page() -> None:
    source = (ROOT / "api" / "graphiql" / "src" / "examples.js").read_text("utf-8")
    assert len(EXAMPLES) > 3
    for path in EXAMPLES:
        assert f'from "./examples/{path.name}"' in source


def test_every_package_is_pinned_and_hashed_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "api" / "graphiql" / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/graphiql" in packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
