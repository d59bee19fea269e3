"""What one operation may have: what is counted, what passes, and what a refusal says."""

from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    Visitor,
    get_introspection_query,
    parse,
    visit,
)

from rollgraph.schema import schema
from rollgraph.schema.limits.bounds import Limits
from rollgraph.schema.limits.costs import Costs
from rollgraph.schema.limits.documents import Documents, Verdict
from rollgraph.schema.limits.measure import Measurer
from rollgraph.schema.schema import Schema
from unit.schema.asking import SCHEMA, Fleet, cluster, fleet, view

GRAPHQL = SCHEMA._schema

LADDER_STEPS = 20
LADDER = "{ rollouts { nodes { ...f0 } } }" + "".join(
    f"fragment f{n} on Rollout {{ ...f{n + 1} ...f{n + 1} }}" for n in range(LADDER_STEPS)
)
FLAT_LADDER = f"{LADDER} fragment f{LADDER_STEPS} on Rollout {{ name }}"
DEEP_LADDER = "{ rollouts { nodes { ...f0 } } }" + "".join(
    f"fragment f{n} on Rollout {{"
    f"  cluster {{ rollouts {{ nodes {{ ...f{n + 1} ...f{n + 1} }} }} }}"
    "}"
    for n in range(LADDER_STEPS)
)
DEEP_LADDER += f"fragment f{LADDER_STEPS} on Rollout {{ name }}"
NESTED_INTROSPECTION = (
    "{ __schema { types " + "{ fields { type " * 8 + "{ name }" + " } }" * 8 + " } }"
)

PAGE_OF_A_PORTAL = """
query Page($first: Int, $after: String, $filter: RolloutFilter) {
  rollouts(first: $first, after: $after, filter: $filter, orderBy: [{field: PHASE}]) {
    totalCount
    partial
    pageInfo { endCursor hasNextPage }
    nodes {
      id cluster { name } namespace name phase message updatedAt strategyKind aborted paused
      images { image }
      replicas { desired ready available updated }
      split { desiredWeight actualWeight slices { roles weight pods readyPods } }
      progress { percent stepsCompleted stepsTotal waiting { message human until } }
      steps { index label state }
      freshness { stale }
    }
  }
}
"""
ONE_ROLLOUT = """
{
  rollout(cluster: "east", namespace: "shop", name: "checkout") {
    name phase message manifest
    steps { index label state startedAt }
    conditions { type status message }
    revisions(first: 11) {
      nodes {
        number roles images { image }
        replicaSet {
          replicas { ready desired }
          pods(first: 20) { nodes { name status ready restarts reason } }
        }
        analysisRuns { name phase metrics { name phase measurements { value phase } } }
      }
    }
  }
}
"""
RELAY = """
{
  clusters(first: 3) { edges { node { rollouts(first: 3) { edges { node {
    revisions(first: 3) { edges { node { replicaSet { pods(first: 3) { edges { node {
      containers: totalContainers
    } } } } } } }
  } } } } } }
}
"""


def check(document: str, limits: Limits | None = None, **variables: Any) -> Verdict:
    """What is said of a document by a fresh reader."""
    documents = Documents(GRAPHQL, limits or Limits())
    return documents.check(documents.read(document), None, variables)


def aliases(number: int) -> str:
    return " ".join(f"a{n}: __typename" for n in range(number))


def codes(errors: list[GraphQLError]) -> list[str]:
    return [(error.extensions or {})["code"] for error in errors]


@pytest.fixture
def made() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-paused-at-step-3"))
    return made


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (PAGE_OF_A_PORTAL, {"first": 50}),
        (PAGE_OF_A_PORTAL, {"first": 100, "filter": {"phase": ["PAUSED"]}}),
        (PAGE_OF_A_PORTAL, {"first": 50, "filter": {"name": {"matches": "web-*"}}}),
        (ONE_ROLLOUT, {}),
        (RELAY, {}),
        (get_introspection_query(type_depth=9, input_value_deprecation=True), {}),
    ],
    ids=["page of 50", "page of 100", "page with a glob", "one rollout", "Relay", "introspection"],
)
def test_what_portals_ask_passes(document: str, variables: dict[str, Any]) -> None:
    assert check(document, **variables).errors == []


INTROSPECTION = get_introspection_query()
ROOT, _, FRAGMENTS = INTROSPECTION.partition("fragment FullType")
ASKED = ROOT.partition("__schema")[2].rstrip().removesuffix("}")
TWICE = f"{{ a: __schema {ASKED} b: __schema {ASKED} }} fragment FullType {FRAGMENTS}"

REFUSED = {
    "a ladder of fragments": (FLAT_LADDER, "TOO_MANY_REPEATS"),
    "a ladder that goes deep": (DEEP_LADDER, "QUERY_TOO_DEEP"),
    "nested introspection": (NESTED_INTROSPECTION, "INTROSPECTION_TOO_COSTLY"),
    "the schema twice": (TWICE, "INTROSPECTION_TOO_COSTLY"),
    "lists within lists": (
        "{ rollouts(first: 200) { nodes { revisions { nodes { images { image } } } } } }",
        "QUERY_TOO_COSTLY",
    ),
    "all rollouts of all clusters": (
        "{ clusters { nodes { rollouts(first: 200) { nodes { name } } } } }",
        "QUERY_TOO_COSTLY",
    ),
    "many globs": (
        'query($f: RolloutFilter = {or: [{name: {matches: "*a*b"}}, {image: {matches: "*a*b"}}]})'
        "{" + " ".join(f"a{n}: rollouts(filter: $f) {{ totalCount }}" for n in range(5)) + "}",
        "QUERY_TOO_COSTLY",
    ),
    "one object again and again": (
        "{ rollouts { nodes {" + "cluster { name }" * 52 + "} } }",
        "TOO_MANY_REPEATS",
    ),
    "one field again and again": (
        "{ rollouts { nodes {" + "name " * 502 + "} } }",
        "TOO_MANY_REPEATS",
    ),
    "many fragments": (
        "{ rollouts { nodes {"
        + " ".join(f"...f{n}" for n in range(102))
        + "} } }"
        + " ".join(f"fragment f{n} on Rollout {{ a{n}: name }}" for n in range(102)),
        "TOO_MANY_REPEATS",
    ),
    "aliases": ("{ node(id: 1) {" + aliases(31) + "} }", "TOO_MANY_ALIASES"),
    "root fields": ("{" + aliases(21) + "}", "TOO_MANY_ROOT_FIELDS"),
    "directives": ("{ __typename " + "@include(if: true)" * 51 + "}", "TOO_MANY_DIRECTIVES"),
    "depth": ("{" + "a {" * 12 + "a" + "}" * 13, "QUERY_TOO_DEEP"),
}
JUST_ALLOWED = {
    "aliases": "{ node(id: 1) {" + aliases(30) + "} }",
    "root fields": "{" + aliases(20) + "}",
    "depth": RELAY,
}


@pytest.mark.parametrize(("document", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_too_much_is_refused(document: str, code: str) -> None:
    assert code in codes(check(document).errors)


@pytest.mark.parametrize("document", JUST_ALLOWED.values(), ids=JUST_ALLOWED)
def test_what_is_just_allowed_passes(document: str) -> None:
    assert check(document).errors == []


def test_limits_come_before_rules() -> None:
    # Validating this takes 60 times as long as measuring it.
    document = "{ rollouts { nodes { nonsense " + "cluster { name } " * 400 + "} } }"
    assert "GRAPHQL_VALIDATION_FAILED" not in codes(check(document).errors)


@pytest.mark.parametrize("document", [FLAT_LADDER, DEEP_LADDER])
def test_work_grows_with_the_text_and_not_with_what_it_stands_for(document: str) -> None:
    parsed = parse(document)
    measurer = Measurer(Costs(GRAPHQL), parsed, {})
    (operation,) = (d for d in parsed.definitions if isinstance(d, OperationDefinitionNode))
    measurer.measure(operation)
    counted = Counted()
    visit(parsed, counted)
    assert measurer.visits == 2 * counted.selections


class Counted(Visitor):
    """Counts the selections of a document, as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.selections = 0

    def enter_field(self, *_: Any) -> None:
        self.selections += 1

    enter_fragment_spread = enter_field


def test_a_long_document_is_not_parsed(made: Fleet) -> None:
    code, message = made.error("{" + aliases(1000) + " and then no GraphQL }}}")
    assert code == "QUERY_TOO_LONG"
    assert message == (
        "The document has 3008 tokens, and 2000 are allowed: ask in several requests, or put what "
        "repeats into a fragment"
    )


def test_a_refusal_says_how_much_and_what_is_allowed(made: Fleet) -> None:
    result = made.run(
        "{ rollouts(first: 200) { nodes {"
        " steps { label } revisions { nodes { id } } images { image } } } }"
    )
    assert result.errors
    (error,) = result.errors
    assert error.extensions == {"code": "QUERY_TOO_COSTLY", "measured": 5421, "limit": 5000}
    assert error.message.startswith("The request costs 5421, and 5000 are allowed: ")
    assert result.data is None


def test_a_refusal_says_all_that_is_too_much() -> None:
    assert codes(check(DEEP_LADDER).errors) == [
        "QUERY_TOO_DEEP",
        "QUERY_TOO_COSTLY",
        "TOO_MANY_REPEATS",
    ]


def test_every_refusal_is_json(made: Fleet) -> None:
    # The cost of a deep ladder has 42 digits, and JSON readers stop at 16.
    errors = made.run(DEEP_LADDER).errors or []
    sent = orjson.loads(orjson.dumps([error.formatted for error in errors]))
    assert max(error["extensions"]["measured"] for error in sent) == 10**12


BROKEN = {
    "a fragment that is not there": "{ rollouts { nodes { ...nowhere } } }",
    "a fragment within itself": "{ ...f } fragment f on Query { clusters { totalCount } ...f }",
    "fragments within each other": (
        "{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }"
    ),
    "a field that is not there": "{ nothing { at { all } } }",
    "a type that is not there": "{ ... on Nothing { name } }",
    "an argument that is not there": "{ rollouts(nothing: {here: 1}) { totalCount } }",
    "a filter that is none": "{ rollouts(filter: 3, first: {a: 1}) { totalCount } }",
    "a variable that is not there": "{ rollouts(first: $n) { nodes { name } } }",
    "a variable of no type": "query($f: Nothing) { rollouts(filter: $f) { totalCount } }",
    "fields of a leaf": "{ rollouts { totalCount { more } } }",
}


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_left_to_the_rules(made: Fleet, document: str) -> None:
    errors = made.run(document, f={"and": 3}).errors or []
    assert set(codes(errors)) == {"GRAPHQL_VALIDATION_FAILED"}


def test_only_the_operation_that_is_executed_is_measured() -> None:
    # GraphiQL sends all that stands in its editor, and the name of one.
    documents = Documents(GRAPHQL, Limits())
    document = documents.read("query A { __typename } query B {" + aliases(21) + "}")
    assert documents.check(document, "A", {}).errors == []
    assert codes(documents.check(document, "B", {}).errors) == ["TOO_MANY_ROOT_FIELDS"]


def test_one_of_several_operations_has_to_be_named(made: Fleet) -> None:
    document = "query A { __typename } query B { gateway { version } }"
    code, message = made.error(document)
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert message == "The document has several operations: name one with `operationName`"
    result = SCHEMA.execute_sync(document, operation_name="A", context_value=made.context)
    assert result.data == {"__typename": "Query"}


def test_a_document_is_read_once() -> None:
    documents = Documents(GRAPHQL, Limits())
    assert documents.read("{ __typename }") is documents.read("{ __typename }")


def test_old_documents_make_room() -> None:
    documents = Documents(GRAPHQL, Limits(), max_bytes=10_000)
    first = documents.read("{ a }")
    others = [documents.read(f"{{ a{n} }}") for n in range(20)]
    assert documents.read("{ a }") is not first
    assert documents.read("{ a19 }") is others[19]


def test_the_cost_is_told_to_whoever_asks(made: Fleet) -> None:
    def asked(**extensions: object) -> object:
        document = "{ rollouts(first: 3) { nodes { steps { label } } } }"
        result = SCHEMA.execute_sync(
            document, context_value=made.context, operation_extensions=extensions
        )
        return result.extensions

    assert asked(cost=True) == {"cost": {"requested": 54, "max": 5000}}
    assert not asked()


def test_limits_can_be_set() -> None:
    assert codes(check("{ a { b } }", Limits(depth=1)).errors) == ["QUERY_TOO_DEEP"]
    assert check("{ gateway { version } }", Limits(depth=2)).errors == []


@pytest.fixture
def silent() -> Schema:
    return schema.build_schema(Limits(introspection=False))


@pytest.mark.parametrize(
    "document", ["{ __schema { queryType { name } } }", "{ _service { sdl } }", INTROSPECTION]
)
def test_introspection_can_be_refused(silent: Schema, made: Fleet, document: str) -> None:
    result = silent.execute_sync(document, context_value=made.context)
    assert codes(result.errors or []) == ["INTROSPECTION_DISABLED"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ rolloutz { totalCount } }", {}),
        ("{ rollouts(frist: 1) { totalCount } }", {}),
        ("{ rollouts(filter: {phase: PAUSE}) { totalCount } }", {}),
        ("query($f: RolloutFilter) { rollouts(filter: $f) { totalCount } }", {"f": {"phas": 1}}),
        ("query($f: RolloutFilter) { rollouts(filter: $f) { totalCount } }", {"f": {"phase": "P"}}),
    ],
)
def test_who_may_not_ask_for_the_schema_is_not_told_it_by_guessing(
    silent: Schema, made: Fleet, document: str, variables: dict[str, Any]
) -> None:
    result = silent.execute_sync(document, variable_values=variables, context_value=made.context)
    assert result.errors
    assert not any("Did you mean" in error.message for error in result.errors)
