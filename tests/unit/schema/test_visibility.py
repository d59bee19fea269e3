"""What a viewer is not shown is as if it did not exist: every answer is that of a smaller fleet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from hypothesis import given, settings
from hypothesis import strategies as st

import samples
from fakes.rights import Some
from rollgraph.access.caller import Caller
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView, build_view
from rollgraph.schema.context import Context
from rollgraph.schema.guard import guard_of
from rollgraph.schema.ids import global_id
from unit.schema.asking import BOUNDLESS, NOW, Fleet, cluster, fleet, view

FAMILIES = sorted(path.stem for path in (samples.DATA / "families").glob("*.yaml"))
CLUSTERS = ("east", "north", "west")
SAMPLES = ("canary-healthy", "canary-aborted", "canary-paused-for-5m")

# All ways to a rollout and to what speaks of rollouts, but for cursors: they name the version of
# the mirror that they were made at.
READS = """
query Reads($ids: [ID!]!, $keys: [_Any!]!, $filter: RolloutFilter) {
  node: nodes(ids: $ids) { __typename id ... on Cluster { name } }
  _entities(representations: $keys) { __typename ... on Rollout { id cluster { name } } }
  rollouts(first: 3, filter: $filter, orderBy: [{field: PHASE}, {field: NAME, direction: DESC}]) {
    totalCount
    partial
    pageInfo { hasNextPage hasPreviousPage }
    clusters { included stale reason cluster { name } }
    edges { node { id phase cluster { ...Cluster } analysisRuns { totalCount } } }
  }
  last: rollouts(last: 2) { pageInfo { hasNextPage hasPreviousPage } nodes { id } }
  rolloutSummary(groupBy: [CLUSTER, NAMESPACE, PHASE, STRATEGY], filter: $filter) {
    cluster namespace phase strategy count
  }
  analysisRuns(first: 50) { totalCount nodes { id rollout { id } } }
  clusters(orderBy: {field: ROLLOUT_COUNT, direction: DESC}) {
    totalCount
    nodes { ...Cluster }
  }
  east: cluster(name: "east") { ...Cluster }
  west: cluster(name: "west") { ...Cluster }
  one: rollout(cluster: "east", namespace: "shop", name: "web-0") { __typename id }
}
fragment Cluster on Cluster {
  name health namespaces rolloutCounts { phase count }
  rollouts(first: 2) { totalCount pageInfo { hasNextPage } nodes { id } }
}
"""


def all_views() -> Iterator[RolloutView]:
    """Rollouts of three clusters, some with all that can belong to one."""
    for place, name in enumerate(CLUSTERS):
        for number, sample in enumerate(SAMPLES):
            if (place, number) != (1, 1):
                metadata = {"namespace": ("shop", "pay")[number % 2]}
                yield view(sample, cluster=name, name=f"web-{number}", patch={"metadata": metadata})
    for family in FAMILIES:
        yield build_view("east", *samples.family(family))


VIEWS = {str(each.ref): each for each in all_views()}


@dataclass(frozen=True)
class Among:
    """Shows the rollouts of these names."""

    names: frozenset[str]

    def __call__(self, view: RolloutView) -> bool:
        return str(view.ref) in self.names


def filled(names: frozenset[str], clusters: tuple[str, ...]) -> Fleet:
    made = fleet()
    for name in clusters:
        made.mirror.put_cluster(cluster(name))
    for name in sorted(names):
        made.put(VIEWS[name])
    return made


def asked_by(made: Fleet, rights: Some) -> Fleet:
    context = Context(made.mirror, NOW, timedelta(seconds=10), "req-1", caller=Caller(rights))
    return Fleet(made.mirror, context, BOUNDLESS)


WHOLE = replace(filled(frozenset(VIEWS), CLUSTERS), schema=BOUNDLESS)
IDS = """
{
  clusters { nodes { id } }
  rollouts(first: 50) { nodes {
    id
    revisions { nodes { id replicaSet { id pods { nodes { id } } } } }
    analysisRuns { nodes { id } }
    experiments { nodes { id replicaSets { id pods { nodes { id } } } analysisRuns { id } } }
  } }
}
"""


def ids(found: object) -> Iterator[str]:
    """Every id in an answer."""
    if isinstance(found, list):
        for item in found:
            yield from ids(item)
    elif isinstance(found, dict):
        if "id" in found:
            yield found["id"]
        yield from ids(list(found.values()))


EVERY_ID = sorted(set(ids(WHOLE.ask(IDS))))
KEYS = [
    {
        "__typename": "Rollout",
        "clusterName": each.ref.cluster,
        "namespace": each.ref.namespace,
        "name": each.ref.name,
    }
    for each in VIEWS.values()
] + [{"__typename": "Cluster", "name": name} for name in CLUSTERS]


@settings(max_examples=60, deadline=None)
@given(
    names=st.frozensets(st.sampled_from(sorted(VIEWS))),
    clusters=st.sets(st.sampled_from(CLUSTERS)),
    filter=st.sampled_from([None, {"phase": ["DEGRADED"]}, {"cluster": {"eq": "east"}}]),
)
def test_every_answer_is_that_of_a_fleet_without_the_rest(
    names: frozenset[str], clusters: set[str], filter: dict[str, Any] | None
) -> None:
    rights = Some(Among(names), clusters)
    shown = tuple(c for c in CLUSTERS if c in clusters or any(n.startswith(c) for n in names))
    rest = replace(filled(names, shown), schema=BOUNDLESS)
    variables: dict[str, Any] = {"ids": EVERY_ID, "keys": KEYS, "filter": filter}
    assert asked_by(WHOLE, rights).ask(READS, **variables) == rest.ask(READS, **variables)


def test_the_ids_are_those_of_everything() -> None:
    types = {
        WHOLE.ask("query($id: ID!) { node(id: $id) { __typename } }", id=i)["node"]["__typename"]
        for i in EVERY_ID
    }
    assert types == {
        "AnalysisRun", "Cluster", "Experiment", "Pod", "ReplicaSet", "Revision", "Rollout",
    }  # fmt: skip


@pytest.mark.parametrize("identifier", EVERY_ID)
def test_whoever_sees_nothing_finds_nothing_by_an_id(identifier: str) -> None:
    document = """query($id: ID!) {
      a: node(id: $id) { __typename ...All }
      b: node(id: $id) { ... on Node { id } }
      nodes(ids: [$id]) { __typename }
    }
    fragment All on Node { id __typename }"""
    answer = asked_by(WHOLE, Some()).ask(document, id=identifier)
    assert answer == {"a": None, "b": None, "nodes": [None]}


def test_ids_of_what_is_hidden_and_of_what_is_not_there_say_the_same() -> None:
    hidden = global_id("Rollout", "east", "shop", "web-0")
    absent = global_id("Rollout", "east", "shop", "nothing")
    made = asked_by(WHOLE, Some())
    document = "query($id: ID!) { node(id: $id) { id } }"
    assert made.run(document, id=hidden) == made.run(document, id=absent)


def test_a_walk_with_somebody_elses_cursors_shows_only_ones_own() -> None:
    page = """query($after: String) { rollouts(first: 2, after: $after) {
      edges { cursor node { id } } pageInfo { endCursor hasNextPage } } }"""
    mine = asked_by(WHOLE, Some(Among(frozenset(n for n in VIEWS if n.startswith("west")))))
    own = [edge["node"]["id"] for edge in mine.ask(page)["rollouts"]["edges"]]
    cursors = [
        e["cursor"] for e in WHOLE.ask("{ rollouts { edges { cursor } } }")["rollouts"]["edges"]
    ]
    for cursor in cursors:
        found = mine.ask(page, after=cursor)["rollouts"]["edges"]
        assert {edge["node"]["id"] for edge in found} <= {
            global_id("Rollout", each.ref.cluster, each.ref.namespace, each.ref.name)
            for each in VIEWS.values()
            if each.ref.cluster == "west"
        }
    assert mine.ask(page, after=cursors[0])["rollouts"]["edges"][0]["node"]["id"] == own[0]


def test_what_a_cluster_is_made_of_is_for_who_sees_the_cluster() -> None:
    document = '{ cluster(name: "east") { connection { status watches { objectCount } } } }'
    some = Among(frozenset({"east/shop/web-0"}))
    connection = asked_by(WHOLE, Some(some)).ask(document)["cluster"]["connection"]
    assert connection == {"status": "CONNECTED", "watches": []}
    connection = asked_by(WHOLE, Some(some, ["east"])).ask(document)["cluster"]["connection"]
    assert len(connection["watches"]) == 3


def test_a_cluster_that_nobody_has_read_makes_the_list_of_who_may_see_some_of_it_partial() -> None:
    made = filled(frozenset(VIEWS), CLUSTERS)
    document = "{ rollouts { partial clusters { cluster { name } } } }"
    one = Among(frozenset({"east/shop/web-0"}))
    some, nothing_there = Some(one, verbs=[Verb.GET]), Some(one)
    rollouts = asked_by(made, some).ask(document)["rollouts"]
    assert rollouts == {"partial": False, "clusters": [{"cluster": {"name": "east"}}]}
    made.mirror.put_cluster(cluster("south", status=ConnectionStatus.SYNCING, watches=()))
    rollouts = asked_by(made, some).ask(document)["rollouts"]
    assert rollouts == {"partial": True, "clusters": [{"cluster": {"name": "east"}}]}
    assert not asked_by(made, nothing_there).ask(document)["rollouts"]["partial"]


EVERYTHING = Some(lambda _: True)
BY_ANALYSIS = [
    "analysisRuns { totalCount }",
    "revisions { nodes { analysisRuns { id } } }",
    "experiments { nodes { analysisRuns { id } } }",
    "steps { ... on AnalysisStep { run { id } } }",
    "strategy { ... on CanaryStrategy { backgroundAnalysis { currentRun { id } } } }",
]


WITH_BACKGROUND = {
    "spec": {"strategy": {"canary": {"analysis": {"templates": [{"templateName": "rate"}]}}}}
}


@pytest.fixture
def analysed() -> Fleet:
    """A canary with all that can be analysed, but for a run in the background."""
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(build_view("east", *samples.family("canary-at-20-percent", WITH_BACKGROUND)))
    return made


@pytest.mark.parametrize("selection", BY_ANALYSIS)
def test_no_way_leads_to_an_analysis_run_without_its_scope(analysed: Fleet, selection: str) -> None:
    document = f"{{ rollouts {{ nodes {{ {selection} }} }} }}"
    assert asked_by(analysed, EVERYTHING.narrowed(Scope.READ, Scope.ANALYSIS_READ)).ask(document)
    code, _ = asked_by(analysed, EVERYTHING.narrowed(Scope.READ)).error(document)
    assert code == "FORBIDDEN"


def test_every_field_that_leads_to_an_analysis_run_asks_for_its_scope() -> None:
    ways, open_ways = 0, []
    for named in BOUNDLESS._schema.type_map.values():
        if not isinstance(named, GraphQLObjectType) or named.name in OF_THE_LIST:
            continue
        for name, field in named.fields.items():
            if get_named_type(field.type).name in {"AnalysisRun", *OF_THE_LIST}:
                ways += 1
                guard = guard_of(field.extensions["strawberry-definition"])
                if guard is None or guard.scope is not Scope.ANALYSIS_READ:
                    open_ways.append(f"{named.name}.{name}")
    assert open_ways == []
    assert ways == len(BY_ANALYSIS) + 1 + len(BY_EVENTS)


# Those of events; streams/test_rights.py asks for them.
BY_EVENTS = (
    "AnalysisRunChangedEvent.analysisRun",
    "StepProgress.analysisRuns",
    "StepProgressEvent.analysisRuns",
)
OF_THE_LIST = {"AnalysisRunConnection", "AnalysisRunEdge"}


def test_an_analysis_run_needs_its_scope_by_id_too() -> None:
    rights = EVERYTHING.narrowed(Scope.READ)
    run = next(i for i in EVERY_ID if i in set(ids(WHOLE.ask(
        "{ analysisRuns { nodes { id } } }"
    ))))  # fmt: skip
    made = asked_by(WHOLE, rights)
    assert made.error("query($id: ID!) { node(id: $id) { id } }", id=run)[0] == "FORBIDDEN"
    hidden = asked_by(WHOLE, Some().narrowed(Scope.READ))
    assert hidden.error("query($id: ID!) { node(id: $id) { id } }", id=run)[0] == "FORBIDDEN"
    keys = [{"__typename": "AnalysisRun", "id": run}, KEYS[0]]
    result = made.run(
        "query($keys: [_Any!]!) { _entities(representations: $keys) { __typename } }", keys=keys
    )
    assert result.data == {"_entities": [None, {"__typename": "Rollout"}]}
    assert [(e.extensions or {})["code"] for e in result.errors or ()] == ["FORBIDDEN"]


def test_the_place_of_a_hidden_rollout_is_no_answer() -> None:
    ref = RolloutRef("east", "shop", "web-0")
    made = asked_by(WHOLE, Some(Among(frozenset(VIEWS) - {str(ref)})))
    document = """query($name: String!) {
      rollout(cluster: "east", namespace: "shop", name: $name) { __typename }
      rollouts(filter: {name: {eq: $name}, cluster: {eq: "east"}}) { totalCount nodes { id } }
    }"""
    assert made.run(document, name="web-0") == made.run(document, name="nothing")
