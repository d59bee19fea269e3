"""What is kept for one viewer is never another's answer: to the byte, as if nothing were kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route

from fakes.rights import Some
from rollgraph.access.caller import Caller
from rollgraph.access.rights import PolicyRights
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import PolicyDocument, PolicyText
from rollgraph.core.rbac.trie import Globs
from rollgraph.core.verbs import Scope
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Rights
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.server.answers import Answers
from rollgraph.server.graphql import Endpoint
from unit.schema.asking import BOUNDLESS, NOW, Fleet, cluster, fleet, view
from unit.schema.test_fragments import selections

CLUSTERS = ("east", "west")
NAMES = ("web-0", "web-1")
SAMPLES = ("canary-healthy", "canary-aborted", "canary-paused-for-5m")
PEOPLE = ("ann", "bob")
GROUPS = ("team",)
OBJECTS = ("*", "east/*", "*/shop/web-0", "west/*/web-1", "east/shop/web-?", "{east,west}/shop/*")
SCOPES = [
    None,
    frozenset({Scope.READ}),
    frozenset({Scope.READ, Scope.ANALYSIS_READ}),
    frozenset({Scope.PROMOTE}),
]
LISTS = """
query List($keys: [String!], $deep: Boolean!) {{
  rollouts(first: 10) {{
    totalCount @include(if: $deep)
    nodes {selection}
  }}
  one: rollout(cluster: "east", namespace: "shop", name: "web-0") {{
    name labels(keys: $keys) {{ key }}
  }}
  rolloutSummary {{ phase count }}
}}
"""
ANALYSED = "{ rollouts { nodes { name analysisRuns { totalCount } } } }"
CHEAP = "{ rollouts { totalCount nodes { cluster { name } name phase } } }"


class Served:
    """An endpoint on a fleet, asked by whomever a test says."""

    def __init__(self, made: Fleet, *, keeps: bool) -> None:
        self._made = made
        self._fragments = FragmentCache() if keeps else None
        answers = Answers(lambda: made.mirror.version) if keeps else None
        endpoint = Endpoint(BOUNDLESS, self._context, answers, identify=self._identify)
        transport = httpx2.ASGITransport(app=Starlette(routes=[Route("/graphql", endpoint)]))
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self._rights: Rights = Some()

    def _context(self, request_id: str, caller: Caller) -> Context:
        patience = timedelta(seconds=10)
        mirror, kept = self._made.mirror, self._fragments
        return Context(mirror, NOW, patience, "", fragments=kept, caller=caller)

    async def _identify(self, _: HTTPConnection) -> Caller:
        return Caller(self._rights)

    async def ask(self, rights: Rights, document: str, variables: dict[str, Any]) -> bytes:
        self._rights = rights
        body = {"query": document, "variables": variables}
        return (await self._client.post("/graphql", json=body)).content


@st.composite
def policies(draw: st.DrawFn) -> PolicySet:
    """A policy for two people and their team."""
    lines = [
        f'p, {subject}, {resource}, get, "{object_}", {effect}'
        for subject, resource, object_, effect in draw(
            st.lists(
                st.tuples(
                    st.sampled_from([*PEOPLE, *GROUPS]),
                    st.sampled_from(["rollouts", "rollouts", "clusters"]),
                    st.sampled_from(OBJECTS),
                    st.sampled_from(["allow", "allow", "deny"]),
                ),
                min_size=2,
                max_size=6,
            )
        )
    ]
    return PolicySet(PolicyText((PolicyDocument("policy.csv", "\n".join(lines)),)), Globs())


def viewers() -> st.SearchStrategy[Viewer]:
    """People with tokens of all kinds."""
    return st.builds(
        Viewer,
        st.sampled_from(PEOPLE),
        groups=st.sampled_from([(), GROUPS]),
        scopes=st.sampled_from(SCOPES),
    )


def changed(draw: Callable[..., Any], made: Fleet) -> None:
    """A rollout gets another phase, is new, or goes."""
    place = {"cluster": draw(st.sampled_from(CLUSTERS)), "name": draw(st.sampled_from(NAMES))}
    view_ = view(draw(st.sampled_from(SAMPLES)), **place)
    if draw(st.booleans()):
        made.put(view_)
    else:
        made.mirror.drop_rollout(view_.ref)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nobody_is_answered_what_was_kept_for_another(data: st.DataObject) -> None:
    anyio.run(ask_at_random, data)


async def ask_at_random(data: st.DataObject) -> None:
    """Asks for random viewers, between random changes, where much is kept and where nothing is."""
    made = fleet()
    for name in CLUSTERS:
        made.mirror.put_cluster(cluster(name))
        for number, rollout in enumerate(NAMES):
            made.put(view(SAMPLES[number], cluster=name, name=rollout))
    keeping, plain = Served(made, keeps=True), Served(made, keeps=False)
    documents = [LISTS.format(selection=data.draw(selections())), ANALYSED, CHEAP]
    said = [data.draw(policies()) for _ in range(2)]
    for _ in range(data.draw(st.integers(3, 9))):
        if data.draw(st.sampled_from([False, False, True])):
            changed(data.draw, made)
        version = data.draw(st.sampled_from([0, 1]))
        rights = PolicyRights(data.draw(viewers()), said[version], version)
        document = data.draw(st.sampled_from(documents))
        variables = {"keys": data.draw(st.sampled_from([None, ["app"]])), "deep": True}
        asked = (rights, document, variables)
        assert await keeping.ask(*asked) == await plain.ask(*asked)


@pytest.fixture
def served() -> Served:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-healthy", name="web"))
    made.put(view("canary-healthy", name="db"))
    return Served(made, keeps=True)


async def test_answers_are_kept_for_each_that_sees_something_else(served: Served) -> None:
    document = "{ rollouts { totalCount nodes { name } } }"

    def names(answer: bytes) -> list[str]:
        return [node["name"] for node in orjson.loads(answer)["data"]["rollouts"]["nodes"]]

    web, both = Some(lambda v: v.ref.name == "web"), Some(lambda _: True)
    for _ in range(2):
        assert names(await served.ask(both, document, {})) == ["db", "web"]
        assert names(await served.ask(web, document, {})) == ["web"]
        assert names(await served.ask(Some(), document, {})) == []


async def test_a_narrower_token_gets_no_part_that_was_kept_for_a_wider_one(served: Served) -> None:
    document = "{ rollouts { nodes { name analysisRuns { totalCount } } } }"
    wide = Some(lambda _: True).narrowed(Scope.READ, Scope.ANALYSIS_READ)
    narrow = Some(wide.shown).narrowed(Scope.READ)
    for _ in range(2):
        assert "errors" not in orjson.loads(await served.ask(wide, document, {}))
        answer = orjson.loads(await served.ask(narrow, document, {}))
        assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == (None, "FORBIDDEN")


async def test_who_asks_is_never_kept(served: Served) -> None:
    document = "{ viewer { subject } }"
    shown = Some(lambda _: True)
    for subject in ("ann", "bob", "ann"):
        rights = Some(shown.shown, viewer=Viewer(subject))
        answer = orjson.loads(await served.ask(rights, document, {}))
        assert answer == {"data": {"viewer": {"subject": subject}}}
