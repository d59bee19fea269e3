"""The schema is served as files, to whoever may ask for it in GraphQL."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import build_client_schema, build_schema, get_introspection_query, print_schema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from browser.gateway import NoSpokes
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.server import bootstrap
from rollgraph.server.app import create_app
from rollgraph.server.failures import on_http_error
from rollgraph.server.published import Published
from rollgraph.server.settings import Settings

SCHEMA = Path(__file__).parents[3] / "schema"
FILES = ("schema.graphql", "subgraph.graphql", "schema.json")


async def only_with_a_token(connection: HTTPConnection) -> Caller:
    if "authorization" not in connection.headers:
        raise UnauthenticatedViewerError("log in first: there is neither a token nor a login")
    return ANYBODY


def client(published: Published) -> httpx2.AsyncClient:
    handlers: Any = {HTTPException: on_http_error}
    app = Starlette(routes=published.routes(), exception_handlers=handlers)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1")


@pytest.mark.parametrize("name", ["schema.graphql", "subgraph.graphql"])
async def test_what_is_served_is_what_a_release_has(name: str) -> None:
    async with client(Published()) as web:
        answer = await web.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == (SCHEMA / name).read_text("utf-8")


async def test_the_json_is_the_same_schema_as_tools_take_it_in() -> None:
    async with client(Published()) as web:
        answer = await web.get("/schema.json")
    assert answer.headers["content-type"] == "application/json"
    told = build_client_schema(answer.json()["data"])
    published = build_schema((SCHEMA / "schema.graphql").read_text("utf-8"))
    assert print_schema(told) == print_schema(published)


async def test_who_has_it_already_is_told_so() -> None:
    async with client(Published()) as web:
        first = await web.get("/schema.graphql")
        etag = first.headers["etag"]
        for known in (etag, f'"other", W/{etag}', "*"):
            again = await web.get("/schema.graphql", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        older = await web.get("/schema.graphql", headers={"If-None-Match": '"older"'})
        other = await web.get("/subgraph.graphql", headers={"If-None-Match": etag})
    assert (older.status_code, other.status_code) == (200, 200)


@pytest.mark.parametrize("name", FILES)
async def test_who_may_not_ask_gets_none(name: str) -> None:
    async with client(Published(only_with_a_token)) as web:
        stranger = await web.get(f"/{name}")
        known = await web.get(f"/{name}", headers={"Authorization": "Bearer a.b.c"})
    assert (stranger.status_code, known.status_code) == (401, 200)
    assert stranger.headers["www-authenticate"] == "Bearer"
    assert stranger.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", FILES)
async def test_nobody_gets_any_where_introspection_is_off(name: str) -> None:
    async with client(Published(only_with_a_token, hidden=True)) as web:
        stranger = await web.get(f"/{name}")
        known = await web.get(f"/{name}", headers={"Authorization": "Bearer a.b.c"})
    assert (stranger.status_code, known.status_code) == (401, 404)
    assert "its release" in known.json()["errors"][0]["message"]


@pytest.mark.parametrize(("introspection", "status"), [(True, 200), (False, 404)])
async def test_a_gateway_serves_them_as_it_is_set(introspection: bool, status: int) -> None:
    limits = {"introspection": introspection}
    services = bootstrap.services(Settings.model_validate({"limits": limits}), NoSpokes())
    app = create_app(services, (), on_death=lambda _: None)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
        answer = await web.get("/schema.graphql")
        asked = await web.post("/graphql", json={"query": get_introspection_query()})
    assert answer.status_code == status
    assert ("errors" in asked.json()) == (status == 404)
