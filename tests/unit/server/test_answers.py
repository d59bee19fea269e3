"""Kept answers: the same bytes, until a rollout changes."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from rollgraph.access.caller import Caller
from rollgraph.schema.context import Context
from rollgraph.server.answers import Answers
from rollgraph.server.graphql import Endpoint
from unit.schema.asking import NOW, SCHEMA, Fleet, cluster, fleet, view

LIST = "{ rollouts { nodes { name phase } totalCount } }"


class Served:
    """An endpoint on a small fleet, and a count of the questions that were executed."""

    def __init__(self, made: Fleet, max_bytes: int = 10_000) -> None:
        self.made = made
        self.executed = 0
        self.answers = Answers(lambda: made.mirror.version, max_bytes)
        endpoint = Endpoint(SCHEMA, self._context, self.answers)
        transport = httpx2.ASGITransport(app=Starlette(routes=[Route("/graphql", endpoint)]))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def _context(self, request_id: str, caller: Caller) -> Context:
        self.executed += 1
        patience = self.made.context.patience
        return Context(self.made.mirror, NOW, patience, request_id, caller=caller)

    async def ask(self, document: str, **headers: str) -> httpx2.Response:
        body = {"query": document}
        return await self.client.post("/graphql", json=body, headers=headers)


@pytest.fixture
def served() -> Served:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-healthy", name="web"))
    return Served(made)


async def test_a_question_is_executed_once_until_a_rollout_changes(served: Served) -> None:
    first, again = await served.ask(LIST), await served.ask(LIST)
    assert (served.executed, again.content) == (1, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    served.made.put(view("canary-aborted", name="web"))
    changed = await served.ask(LIST)
    assert served.executed == 2
    assert changed.json()["data"]["rollouts"]["nodes"] == [{"name": "web", "phase": "DEGRADED"}]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("{ rollouts { partial } }", id="a cluster's state"),
        pytest.param("{ rollouts { nodes { freshness { lag } } } }", id="the time"),
        pytest.param("{ clusters { nodes { name } } }", id="the clusters"),
        pytest.param("{ rollouts(first: -1) { totalCount } }", id="an error"),
        pytest.param("{ nothing }", id="a refusal"),
    ],
)
async def test_what_can_change_by_itself_is_executed_each_time(
    served: Served, document: str
) -> None:
    await served.ask(document)
    await served.ask(document)
    assert (served.executed, served.answers.size) == (2, 0)


async def test_another_form_of_answer_is_another_question(served: Served) -> None:
    await served.ask(LIST)
    await served.ask(LIST, accept="application/graphql-response+json")
    assert served.executed == 2


async def test_the_least_recently_used_answer_goes_first(served: Served) -> None:
    one = "{ rollouts { nodes { name } } }"
    await served.ask(one)
    small = Served(served.made, max_bytes=served.answers.size * 2)
    for alias in "abca":
        await small.ask(f"{{ {alias}: rollouts {{ nodes {{ name }} }} }}")
    assert 0 < small.answers.size <= served.answers.size * 2
    assert small.executed == 4


async def test_an_answer_that_is_too_large_is_not_kept(served: Served) -> None:
    tiny = Served(served.made, max_bytes=10)
    await tiny.ask(LIST)
    await tiny.ask(LIST)
    assert (tiny.executed, tiny.answers.size) == (2, 0)
