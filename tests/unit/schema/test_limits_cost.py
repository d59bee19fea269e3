"""What a request costs: objects, as often as lists may have them, and work behind fields."""

from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    ObjectTypeDefinitionNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    parse,
)
from graphql.type import get_nullable_type

from rollgraph.acting.request import MAX_BULK
from rollgraph.schema import schema
from rollgraph.schema.limits.bounds import Limits
from rollgraph.schema.limits.documents import Documents
from rollgraph.schema.limits.weights import FIELD_WEIGHTS, INPUT_WEIGHTS, SIZES
from unit.schema.asking import SCHEMA

GRAPHQL = SCHEMA._schema
FIRST = "query($n: Int) { clusters(first: $n) { nodes { name } } }"
DEFAULT = "query($n: Int = 3) { clusters(first: $n) { nodes { name } } }"
FILTER = "query($f: RolloutFilter) { rollouts(filter: $f, first: 0) { partial } }"
IDS = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
NESTED: dict[str, Any] = {"phase": ["PAUSED"]}
for _ in range(900):
    NESTED = {"not": NESTED}


def cost(document: str, **variables: Any) -> int | None:
    documents = Documents(GRAPHQL, Limits())
    return documents.check(documents.read(document), None, variables).cost


BULK = "{ bulkRolloutAction(input: %s) { results { rollout { name } } } }"
TWO = [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("input", "variables", "listed"),
    [
        ('{action: ABORT, targets: {rollouts: [{id: "a"}, {id: "b"}]}}', {}, 2),
        ("$i", {"i": {"action": "ABORT", "targets": {"rollouts": TWO}}}, 2),
        ("{action: ABORT, targets: $t}", {"t": {"rollouts": TWO}}, 2),
        ("{action: ABORT, targets: {rollouts: $r}}", {"r": TWO}, 2),
        ("{action: ABORT, targets: {rollouts: []}}", {}, 0),
    ],
)
def test_a_bulk_costs_as_much_as_it_lists(
    input: str, variables: dict[str, Any], listed: int
) -> None:
    types = {"i": "BulkRolloutActionInput", "t": "RolloutTargetsInput", "r": "[RolloutRefInput!]"}
    declared = ", ".join(f"${name}: {types[name]}!" for name in variables)
    head = f"mutation B({declared}) " if declared else "mutation B "
    # The action, the payload; for each rollout its name, its result and itself.
    assert cost(head + BULK % input, **variables) == 50 + 1 + listed * 3


@pytest.mark.parametrize("filter", ["{phase: [PAUSED]}", "$f"])
def test_a_filter_may_match_as_many_as_a_bulk_can_have(filter: str) -> None:
    given = {"f": {"phase": ["PAUSED"]}} if filter == "$f" else {}
    head = "mutation B($f: RolloutFilter) " if given else "mutation B "
    input = f"{{action: ABORT, targets: {{filter: {filter}}}}}"
    assert cost(head + BULK % input, **given) == 50 + 1 + 30 + MAX_BULK * 2


def test_no_nesting_of_a_bulks_variable_breaks_the_measure() -> None:
    nested: dict[str, Any] = {}
    for _ in range(900):
        nested = {"targets": nested}
    document = "mutation B($i: BulkRolloutActionInput!) " + BULK % "$i"
    assert cost(document, i=nested) == 50 + 1 + MAX_BULK * 2


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        # Scalars are free, an object is 1.
        ("{ __typename }", 0),
        ("{ gateway { version schemaHash } }", 1),
        ("{ gateway { limits { maxPageSize } } }", 2),
        # A connection, and as many rows as a page has unless it says otherwise.
        ("{ clusters { totalCount } }", 1),
        ("{ clusters { nodes { name } } }", 1 + 50),
        ("{ clusters(first: 7) { nodes { name } } }", 1 + 7),
        ("{ clusters(last: 7) { nodes { name } pageInfo { endCursor } } }", 1 + 7 + 1),
        # Relay's way: an edge is an object too.
        ("{ clusters(first: 7) { edges { cursor node { name } } } }", 1 + 7 * 2),
        # Lists within lists.
        ("{ clusters(first: 7) { nodes { watches: labels { key } } } }", 1 + 7 * (1 + 5)),
        ("{ clusters(first: 7) { nodes { rollouts(first: 3) { nodes { id } } } } }", 1 + 7 * 5),
        # The rows may be asked for in a fragment, wherever the page's size is said.
        (
            "{ a: clusters(first: 7) { ...rows } b: clusters(first: 2) { ...rows } }"
            "fragment rows on ClusterConnection { nodes { name } }",
            1 + 7 + 1 + 2,
        ),
        # What fields weigh.
        ('{ rollout(cluster: "a", namespace: "b", name: "c") { manifest } }', 1 + 10),
        ("{ rollouts(first: 1) { totalCount } }", 20 + 1 + 10),
        # What arguments weigh: 30 for each condition, 500 for a glob, 50 for a key of the order.
        ("{ rollouts(first: 0, filter: {phase: [PAUSED]}) { partial } }", 21 + 30),
        ('{ rollouts(first: 0, filter: {name: {matches: "a*"}}) { partial } }', 21 + 530),
        ("{ rollouts(first: 0, filter: {and: [{aborted: true}, {}]}) { partial } }", 21 + 60),
        ("{ rollouts(first: 0, orderBy: [{field: NAME}]) { partial } }", 21 + 50),
        # One value stands for a list of one.
        ("{ rollouts(first: 0, orderBy: {field: NAME}) { partial } }", 21 + 50),
        # As many as ids are given.
        ('{ nodes(ids: ["a", "b"]) { id } }', 2),
        # No page is longer than that; the field itself will say so.
        ("{ clusters(first: 1000000) { nodes { name } } }", 1 + 200),
        ("{ clusters(first: " + "9" * 1500 + ") { nodes { name } } }", 1 + 200),
        ("{ clusters(first: -1) { nodes { name } } }", 1),
        # An action 10, its payload 1, the rollout that is named 1.
        ('mutation { abortRollout(input: {rollout: {id: "a"}}) { applied } }', 10 + 1 + 1),
        (
            'mutation { abortRollout(input: {rollout: {id: "a"}}) { rollout { name } query '
            "{ clusters(first: 7) { nodes { name } } } } }",
            10 + 1 + 1 + 1 + 1 + 1 + 7,
        ),
        # What the viewer may do: an object for each action, or for those that are named.
        ("{ rollouts(first: 1) { nodes { viewerActions { action } } } }", 20 + 1 + 1 + 12),
        (
            "{ rollouts(first: 1) { nodes { viewerActions(actions: [ABORT]) { action } } } }",
            20 + 1 + 1 + 1,
        ),
        # The schema has a cost of its own.
        ("{ __schema { types { name } } }", 0),
    ],
)
def test_costs(document: str, expected: int) -> None:
    assert cost(document) == expected


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (FIRST, {"n": 7}, 1 + 7),
        (FIRST, {"n": None}, 1 + 50),
        (FIRST, {}, 1 + 50),
        (FIRST, {"n": True}, 1 + 50),
        (FIRST, {"n": "7"}, 1 + 50),
        (FIRST, {"n": 10**100}, 1 + 200),
        (DEFAULT, {}, 1 + 3),
        (DEFAULT, {"n": 7}, 1 + 7),
        (FILTER, {"f": {"phase": ["PAUSED"], "name": {"matches": "a*"}}}, 21 + 560),
        (FILTER, {"f": {"and": [{"name": {"eq": "a"}}] * 10}}, 21 + 330),
        (FILTER, {"f": NESTED}, 21 + 901 * 30),
        (FILTER, {"f": [[[{"aborted": 1}]]]}, 21 + 30),
        (FILTER, {"f": {"nothing": {"aborted": True}}}, 21),
        (IDS, {"ids": ["a"] * 30}, 30),
    ],
)
def test_variables_count_by_their_values(
    document: str, variables: dict[str, Any], expected: int
) -> None:
    assert cost(document, **variables) == expected


def test_values_that_make_no_difference_are_measured_once() -> None:
    documents = Documents(GRAPHQL, Limits())
    document = documents.read("query($c: String!) { cluster(name: $c) { name } }")
    for name in ("east", "west"):
        documents.check(document, None, {"c": name})
    assert len(document.measures) == 1


def test_measures_of_one_document_are_bounded() -> None:
    documents = Documents(GRAPHQL, Limits())
    document = documents.read(FIRST)
    for n in range(200):
        documents.check(document, None, {"n": n})
    assert len(document.measures) == 32


@pytest.mark.parametrize("coordinate", sorted({*SIZES, *FIELD_WEIGHTS, *INPUT_WEIGHTS}))
def test_the_table_names_what_there_is(coordinate: str) -> None:
    type_name, _, field = coordinate.partition(".")
    type_ = GRAPHQL.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInputObjectType)
    assert field in type_.fields
    if isinstance(type_, GraphQLObjectType) and coordinate in SIZES:
        size = SIZES[coordinate]
        assert {*size.slicing, *size.listing} <= type_.fields[field].args.keys()


def test_every_connection_is_sized_by_its_arguments() -> None:
    for type_ in GRAPHQL.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for name, field in type_.fields.items():
            if get_named_type(field.type).name.endswith("Connection"):
                size = SIZES[f"{type_.name}.{name}"]
                assert set(size.slicing) == {"first", "last"} & field.args.keys()
                assert size.sized == ("edges", "nodes")


def test_every_list_whose_length_the_caller_says_is_sized_by_it() -> None:
    for type_ in GRAPHQL.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        for name, field in type_.fields.items():
            listed = is_list_type(get_nullable_type(field.type))
            if listed and is_composite_type(get_named_type(field.type)):
                given = {"first", "last", "ids", "representations", "actions"} & field.args.keys()
                size = SIZES.get(f"{type_.name}.{name}")
                assert given == set((*size.slicing, *size.listing) if size else ())


@pytest.mark.parametrize("subgraph", [False, True])
def test_the_published_schema_says_what_things_cost(subgraph: bool) -> None:
    document = parse(schema.print_sdl(subgraph=subgraph))
    said = {
        f"{type_.name.value}.{field.name.value}@{directive.name.value}"
        for type_ in document.definitions
        if isinstance(type_, ObjectTypeDefinitionNode)
        for field in type_.fields or ()
        for directive in field.directives or ()
        if directive.name.value in {"cost", "listSize"}
    }
    # A router has its own idea of `_entities`, and clients do not know it.
    sized = {f"{place}@listSize" for place in SIZES if place != "Query._entities"}
    assert said == sized | {f"{place}@cost" for place in FIELD_WEIGHTS}
