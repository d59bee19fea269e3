"""Whatever is asked, no answer has a word of what the viewer may not see.

Everything that is hidden has a word in its names that nothing else has. Random questions go through
all root fields and all that is reachable from there, with ids and keys that a viewer can guess.
"""

from datetime import timedelta
from typing import cast

import orjson
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import samples
from fakes.rights import Some
from rollgraph.access.caller import Caller
from rollgraph.core.connection import ConnectionStatus, WatchView
from rollgraph.core.refs import Kind
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView, build_view
from rollgraph.schema.context import Context
from rollgraph.schema.ids import global_id
from unit.schema.asking import BOUNDLESS, NOW, Fleet, cluster, fleet
from unit.schema.test_fragments import FAMILIES, GRAPHQL, selections

WORD = "secretive"
# The arguments that a question needs; of fields that are not here, none.
ARGUMENTS = {
    "node": "(id: $id)",
    "nodes": "(ids: $ids)",
    "rollout": '(cluster: $cluster, namespace: "secretive-ns", name: "secretive-web")',
    "cluster": "(name: $cluster)",
    "rollouts": "(first: 50, after: $after, filter: $filter)",
    "rolloutSummary": "(filter: $filter, groupBy: [CLUSTER, NAMESPACE, PHASE])",
    "_entities": "(representations: $entities)",
}
# They speak of no rollout, or the audit's own tests hold them.
ELSEWHERE = {"_service", "gateway", "viewer", "auditEvents"}
# All that is declared is asked for, whatever else is.
FRAME = """
query Q(
  $id: ID!, $ids: [ID!]!, $entities: [_Any!]!, $cluster: String!, $after: String
  $filter: RolloutFilter, $keys: [String!], $deep: Boolean!
) {{
  {fields}
  node(id: $id) {{ id }}
  nodes(ids: $ids) {{ id }}
  _entities(representations: $entities) {{ __typename }}
  cluster(name: $cluster) {{ name }}
  rollouts(after: $after, filter: $filter) {{
    totalCount @include(if: $deep)
    nodes {{ labels(keys: $keys) {{ value }} }}
  }}
}}
"""


def hidden(family: str, cluster: str) -> RolloutView:
    """A rollout with all that belongs to it, whose names nobody else has."""
    metadata = {
        "name": f"{WORD}-web",
        "namespace": f"{WORD}-ns",
        "labels": {"app": f"{WORD}-app"},
    }
    return build_view(cluster, *samples.family(family, {"metadata": metadata}))


def shows(view: RolloutView) -> bool:
    return WORD not in str(view.ref)


def filled() -> Fleet:
    made = fleet()
    watch = WatchView(
        Kind.ROLLOUT, f"{WORD}-ns", ConnectionStatus.DISCONNECTED, NOW, error=f"no {WORD}-ns"
    )
    made.mirror.put_cluster(cluster("east", watches=(watch,), error=f"Rollout: no {WORD}-ns"))
    made.mirror.put_cluster(cluster(f"{WORD}-cluster"))
    for name in ("east", f"{WORD}-cluster"):
        for family in FAMILIES:
            made.put(hidden(family, name))
    made.put(build_view("east", *samples.family(FAMILIES[0])))
    context = Context(
        made.mirror,
        NOW,
        timedelta(seconds=10),
        caller=Caller(Some(shows, verbs=[Verb.GET])),
    )
    return Fleet(made.mirror, context, BOUNDLESS)


WHOLE = filled()
PLACES = [("east", f"{WORD}-ns", f"{WORD}-web"), (f"{WORD}-cluster", f"{WORD}-ns", f"{WORD}-web")]
IDS = [
    global_id("Cluster", f"{WORD}-cluster"),
    *(global_id("Rollout", *place) for place in PLACES),
    *(global_id("Revision", *place, "5") for place in PLACES),
    *(global_id("ReplicaSet", *place, "checkout-6d9f8b7c55") for place in PLACES),
    *(global_id("AnalysisRun", *place, "checkout-7f4c5d9b8d-5-1") for place in PLACES),
    *(global_id("Experiment", *place, "checkout-7f4c5d9b8d-5-2") for place in PLACES),
]
KEYS = [
    {"__typename": "Cluster", "name": f"{WORD}-cluster"},
    *({"__typename": "Rollout", "id": identifier} for identifier in IDS[1:3]),
    *(
        {"__typename": "Rollout", "clusterName": c, "namespace": ns, "name": n}
        for c, ns, n in PLACES
    ),
]
FILTERS = [None, {"namespace": {"startsWith": WORD}}, {"not": {"phase": ["HEALTHY"]}}]


def _cursors() -> list[str | None]:
    """Those of somebody who sees everything."""
    context = Context(WHOLE.mirror, NOW, timedelta(seconds=10))
    answer = Fleet(WHOLE.mirror, context).ask("{ rollouts { edges { cursor } } }")
    return [None, *(edge["cursor"] for edge in answer["rollouts"]["edges"])]


CURSORS = _cursors()
# The types of root fields, by name.
ROOTS = {
    name: get_named_type(field.type)
    for name, field in cast("GraphQLObjectType", GRAPHQL.query_type).fields.items()
    if name not in ELSEWHERE and not is_leaf_type(get_named_type(field.type))
}


@st.composite
def questions(draw: st.DrawFn) -> str:
    """A few root fields, with whatever is below them."""
    parts = []
    chosen = draw(st.lists(st.sampled_from(sorted(ROOTS)), min_size=1, max_size=3))
    for place, name in enumerate(chosen):
        selection = draw(selections(ROOTS[name].name, 4))
        parts.append(f"a{place}: {name}{ARGUMENTS.get(name, '')} {selection}")
    return FRAME.format(fields=" ".join(parts))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_answer_has_a_word_of_what_is_hidden(data: st.DataObject) -> None:
    document = data.draw(questions())
    variables = {
        "id": data.draw(st.sampled_from(IDS)),
        "ids": IDS,
        "entities": KEYS,
        "cluster": data.draw(st.sampled_from(["east", f"{WORD}-cluster"])),
        "after": data.draw(st.sampled_from(CURSORS)),
        "filter": data.draw(st.sampled_from(FILTERS)),
        "keys": None,
        "deep": True,
    }
    result = WHOLE.run(document, **variables)
    assert not result.errors, (document, result.errors)
    assert WORD not in orjson.dumps(result.data).decode()


def test_whoever_sees_everything_finds_the_word() -> None:
    context = Context(WHOLE.mirror, NOW, timedelta(seconds=10))
    answer = Fleet(WHOLE.mirror, context).ask("{ rollouts { nodes { name } } }")
    assert WORD in str(answer)


def test_every_root_field_is_asked() -> None:
    assert {"rollouts", "node", "nodes", "_entities", "analysisRuns", "clusters"} <= set(ROOTS)
