"""Objects by their global IDs, and by a router's references."""

import pytest

import samples
from rollgraph.core.view import build_view
from rollgraph.schema.ids import global_id
from unit.schema.asking import Fleet, cluster, fleet

PLACE = ("east", "shop", "checkout")


@pytest.fixture
def whole() -> Fleet:
    """A rollout with everything that can belong to one."""
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    for name in FAMILIES:
        made.put(build_view("east", *samples.family(name)))
    return made


FAMILIES = sorted(path.stem for path in (samples.DATA / "families").glob("*.yaml"))

EVERYTHING = """
{
  rollouts(first: 5) {
    nodes {
      id __typename cluster { id __typename }
      revisions { nodes {
        id __typename
        replicaSet { id __typename pods { nodes { id __typename } } }
      } }
      analysisRuns { nodes { id __typename } }
      experiments { nodes {
        id __typename
        replicaSets { id __typename pods { nodes { id __typename } } }
        analysisRuns { id __typename }
      } }
    }
  }
}
"""


def ids(found: object) -> dict[str, str]:
    """Every id in an answer, with the type of its object."""
    if isinstance(found, list):
        return {key: value for item in found for key, value in ids(item).items()}
    if not isinstance(found, dict):
        return {}
    own = {found["id"]: found["__typename"]} if "id" in found else {}
    return own | {key: value for item in found.values() for key, value in ids(item).items()}


def test_every_id_that_is_answered_leads_back_to_its_object(whole: Fleet) -> None:
    answered = ids(whole.ask(EVERYTHING))
    assert set(answered.values()) == {
        "Cluster",
        "Rollout",
        "Revision",
        "ReplicaSet",
        "Pod",
        "AnalysisRun",
        "Experiment",
    }
    found = whole.ask(
        "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=list(answered)
    )["nodes"]
    assert {item["id"]: item["__typename"] for item in found} == answered


@pytest.mark.parametrize(
    "place",
    [
        ("Cluster", "mars"),
        ("Rollout", "east", "shop", "nobody"),
        ("Pod", "east", "shop", "nobody", "nobody-1"),
        ("Pod", *PLACE, "nobody-1"),
        ("ReplicaSet", *PLACE, "nobody"),
        ("AnalysisRun", *PLACE, "nobody"),
        ("Experiment", *PLACE, "nobody"),
        ("Revision", *PLACE, "99"),
    ],
    ids="-".join,
)
def test_an_object_that_is_gone_is_null(whole: Fleet, place: tuple[str, ...]) -> None:
    made = global_id(*place)
    assert whole.ask("query Node($id: ID!) { node(id: $id) { id } }", id=made) == {"node": None}


@pytest.mark.parametrize(
    "text",
    ["", "garbage", global_id("Rollout", "too", "short"), global_id("Planet", "mars")],
    ids=["empty", "garbage", "too short", "another type"],
)
def test_what_is_no_id_is_refused(whole: Fleet, text: str) -> None:
    code, _ = whole.error("query Node($id: ID!) { node(id: $id) { id } }", id=text)
    assert code == "BAD_USER_INPUT"


def test_too_many_ids_are_refused(whole: Fleet) -> None:
    code, message = whole.error(
        "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 201
    )
    assert (code, "at most 200" in message) == ("BAD_USER_INPUT", True)


ENTITIES = """
query Entities($of: [_Any!]!) {
  _entities(representations: $of) {
    ... on Rollout { name } ... on Cluster { title: name } ... on AnalysisRun { run: name }
  }
}
"""


def test_a_router_finds_objects_by_each_of_their_keys(whole: Fleet) -> None:
    name = whole.ask("{ rollouts(first: 1) { nodes { namespace name } } }")["rollouts"]["nodes"][0]
    place = {"clusterName": "east", **name}
    by_id = global_id("Rollout", "east", name["namespace"], name["name"])
    found = whole.ask(
        ENTITIES,
        of=[
            {"__typename": "Rollout", **place},
            {"__typename": "Rollout", "id": by_id},
            {"__typename": "Cluster", "name": "east"},
            {"__typename": "Cluster", "id": global_id("Cluster", "east")},
            {"__typename": "Rollout", **place, "name": "nobody"},
        ],
    )["_entities"]
    assert found == [
        {"name": name["name"]},
        {"name": name["name"]},
        {"title": "east"},
        {"title": "east"},
        None,
    ]


def test_a_reference_by_the_id_of_another_type_is_refused(whole: Fleet) -> None:
    made = global_id("Cluster", "east")
    code, message = whole.error(ENTITIES, of=[{"__typename": "Rollout", "id": made}])
    assert (code, "not the id of a Rollout" in message) == ("BAD_USER_INPUT", True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"__typename": "Nothing", "id": "x"}, "`__typename` is one of AnalysisRun, Cluster, Rol"),
        ({"__typename": "Query", "id": "x"}, "`__typename` is one of"),
        ({"__typename": ["Rollout"]}, "`__typename` is one of"),
        ({"id": "x"}, "`__typename` is one of"),
        ({"__typename": "Rollout"}, "has no key of a Rollout"),
        ({"__typename": "Rollout", "id": 3}, "has no key of a Rollout"),
        ({"__typename": "AnalysisRun", "name": "x"}, "has no key of a AnalysisRun"),
        (
            {"__typename": "Rollout", "cls": "x", "info": "x", "self": "x"},
            "has no key of a Rollout",
        ),
        ({"__typename": "Rollout", "id": "x"}, "is not an id of this API"),
        ("Rollout", "a representation is an object, got 'Rollout'"),
        (3, "a representation is an object, got 3"),
    ],
)
def test_a_wrong_reference_spoils_no_other(whole: Fleet, wrong: object, said: str) -> None:
    result = whole.run(ENTITIES, of=[wrong, {"__typename": "Cluster", "name": "east"}])
    assert result.data is not None
    assert result.data["_entities"] == [None, {"title": "east"}]
    assert result.errors is not None
    (error,) = result.errors
    assert (error.extensions or {})["code"] == "BAD_USER_INPUT"
    assert said in error.message
