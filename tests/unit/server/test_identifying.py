"""Before anything else the endpoint asks who it is; a stranger's question is not even read."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Route
from structlog.testing import capture_logs

from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.core.errors import (
    IdentityProviderError,
    RollgraphError,
    UnauthenticatedViewerError,
)
from rollgraph.schema.context import Context
from rollgraph.server.failures import on_http_error
from rollgraph.server.graphql import Endpoint
from unit.schema.asking import NOW, SCHEMA, fleet

QUESTION = {"query": "{ gateway { version } }"}


class Door:
    """An endpoint that knows nobody; and what it did."""

    def __init__(self, error: RollgraphError | None) -> None:
        self._error = error
        self.asked = 0
        self.executed = 0
        self._made = fleet()
        endpoint = Endpoint(SCHEMA, self._context, identify=self._identify)
        handlers = {HTTPException: on_http_error}
        app = Starlette(routes=[Route("/graphql", endpoint)], exception_handlers=handlers)
        transport = httpx2.ASGITransport(app=app)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def _identify(self, _: HTTPConnection) -> Caller:
        self.asked += 1
        if self._error is not None:
            raise self._error
        return ANYBODY

    def _context(self, request_id: str, caller: Caller) -> Context:
        self.executed += 1
        patience = self._made.context.patience
        return Context(self._made.mirror, NOW, patience, request_id, caller=caller)


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, "Bearer"),
        ({"Authorization": "Bearer a.b.c"}, 'Bearer error="invalid_token"'),
    ],
)
async def test_who_cannot_be_told_is_asked_to_log_in(
    headers: dict[str, str], challenge: str
) -> None:
    door = Door(UnauthenticatedViewerError("the token has expired"))
    response = await door.client.post("/graphql", json=QUESTION, headers=headers)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge)
    (error,) = response.json()["errors"]
    assert (error["extensions"]["code"], error["message"]) == (
        "UNAUTHENTICATED",
        "the token has expired",
    )
    assert door.executed == 0


async def test_nobody_is_let_in_while_nobody_can_tell() -> None:
    door = Door(IdentityProviderError("the identity provider does not answer"))
    response = await door.client.post("/graphql", json=QUESTION)
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert door.executed == 0


async def test_a_token_that_is_refused_is_told_to_the_log_without_the_token() -> None:
    door = Door(UnauthenticatedViewerError("the token has expired"))
    with capture_logs() as logs:
        await door.client.post("/graphql", json=QUESTION)
        headers = {"Authorization": "Bearer a.b.c"}
        await door.client.post("/graphql", json=QUESTION, headers=headers)
    said = {"event": "token_refused", "log_level": "warning", "reason": "the token has expired"}
    assert logs == [said]


async def test_a_stranger_is_not_told_what_is_wrong_with_their_question() -> None:
    door = Door(UnauthenticatedViewerError("no token"))
    form = {"content-type": "application/x-www-form-urlencoded"}
    response = await door.client.post("/graphql", content=b"x", headers=form)
    assert response.status_code == 401


async def test_the_page_for_people_is_shown_to_strangers_too() -> None:
    door = Door(UnauthenticatedViewerError("no token"))
    response = await door.client.get("/graphql", headers={"accept": "text/html"})
    assert (response.status_code, door.asked) == (200, 0)


async def test_who_is_known_is_answered() -> None:
    door = Door(None)
    response = await door.client.post("/graphql", json=QUESTION)
    assert response.json() == {"data": {"gateway": {"version": ""}}}
    assert (door.asked, door.executed) == (1, 1)
