"""Who acts gets more time than who asks, and learns what to do when even that was too short."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from fakes.actor import ToldActor
from rollgraph.access.caller import Caller
from rollgraph.acting.outcome import Outcome
from rollgraph.acting.request import ActionRequest
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.schema.context import Context
from rollgraph.server.failures import on_http_error
from rollgraph.server.graphql import Endpoint
from unit.schema.asking import SCHEMA, Frozen

PROMOTE = """
mutation { promoteRollout(input: {
  rollout: {key: {cluster: "east", namespace: "shop", name: "web"}}
}) { applied operationId } }
"""


class Slow(ToldActor):
    """An actor that takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(self._done)
        self._seconds = seconds

    async def act(self, caller: Caller, request: ActionRequest, request_id: str = "") -> Outcome:
        await anyio.sleep(self._seconds)
        return await super().act(caller, request, request_id)

    def _done(self, request: ActionRequest) -> Outcome:
        return Outcome(ref=request.ref, verb=request.action.verb, operation_id="op-1", sent=1)


async def ask(actor: Slow, query: str) -> tuple[int, Any]:
    """The status and body of an answer by an endpoint with the usual times."""

    def context(request_id: str, caller: Caller) -> Context:
        mirror, patience = MemoryMirror(Frozen()), timedelta(seconds=10)
        return Context(mirror, datetime.now(UTC), patience, request_id, caller=caller, actor=actor)

    app = Starlette(
        routes=[Route("/graphql", Endpoint(SCHEMA, context))],
        exception_handlers={HTTPException: on_http_error},
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post("/graphql", json={"query": query}, timeout=None)
        return answer.status_code, answer.json()


async def test_an_action_may_take_longer_than_a_question() -> None:
    status, body = await ask(Slow(29), PROMOTE)
    assert (status, body["data"]["promoteRollout"]["applied"]) == (200, True)


@pytest.mark.parametrize("query", [PROMOTE, PROMOTE.replace("mutation", "mutation Go")])
async def test_an_action_may_not_take_for_ever(query: str) -> None:
    begun = anyio.current_time()
    status, body = await ask(Slow(3600), query)
    assert status == 504
    assert anyio.current_time() - begun == pytest.approx(30, abs=0.1)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "OPERATION_TIMED_OUT"
    assert "longer than 30 s together: look at what has been done" in error["message"]


async def test_all_actions_of_a_request_share_the_time() -> None:
    query = PROMOTE.replace("promoteRollout", "a: promoteRollout", 1)
    twice = query.replace(
        "mutation {",
        "mutation { b: pauseRollout(input: {rollout: {key: "
        '{cluster: "e", namespace: "s", name: "w"}}}) { applied } ',
    )
    status, _ = await ask(Slow(20), twice)
    assert status == 504
