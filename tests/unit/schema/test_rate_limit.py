"""What a request takes of its caller's budget, and what `rateLimit` says of that."""

from datetime import timedelta
from typing import Any

import pytest

from rollgraph.core.budgets import Balance
from rollgraph.schema.limits.price import Paid, Price
from rollgraph.schema.scalars import format_time
from unit.schema.asking import NOW, SCHEMA, Fleet, cluster, fleet, view

PAGE = (
    "{ rollouts(first: 50) { totalCount nodes { name steps { label state } images { image } } } }"
)
RATE = "rateLimit { limit cost remaining used nodeCount resetAt }"


@pytest.fixture
def made() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-aborted"))
    return made


def price(document: str, name: str | None = None, **variables: Any) -> Price:
    found = SCHEMA.price(document, name, variables)
    assert found is not None
    return found


def test_a_request_takes_what_it_costs() -> None:
    assert price(PAGE) == Price(cost=831, objects=801, points=831)


def test_a_request_takes_a_point_at_least() -> None:
    assert price("{ __typename }").points == 1


def test_introspection_is_paid_by_the_time_that_it_takes() -> None:
    asked = price("{ __schema { types { name fields { name } } } }")
    assert asked.cost == 0
    assert asked.points == 165


def test_variables_count_as_they_are() -> None:
    document = "query Q($n: Int) { rollouts(first: $n) { nodes { name } } }"
    assert price(document, n=3).points == 24
    assert price(document, n=30).points == 51


def test_actions_are_told_from_queries() -> None:
    document = """
      query Q { rollouts { nodes { name } } }
      mutation M($input: PromoteRolloutInput!) { promoteRollout(input: $input) { applied } }
    """
    assert not price(document, "Q").acts
    assert price(document, "M").acts


@pytest.mark.parametrize(
    "document",
    [
        "{ nonsense",
        "{ nonsense }",
        "query A { __typename } query B { __typename }",
        "{ rollouts(first: 200) { nodes { revisions { nodes { images { image } } } } } }",
    ],
)
def test_what_is_refused_takes_nothing(document: str) -> None:
    assert SCHEMA.price(document, None, {}) is None


def test_what_an_answer_does_not_have_is_not_paid_in_the_end() -> None:
    assert price(PAGE).actual(objects=6) == 36
    assert price(PAGE).actual(objects=10_000) == 831


def test_the_caller_is_told_what_is_left(made: Fleet) -> None:
    balance = Balance(allowed=True, limit=6000, left=5400.7)
    made.context.paid = Paid(price(f"{{ {RATE} }}"), balance)
    assert made.ask(f"{{ {RATE} }}")["rateLimit"] == {
        "limit": 6000,
        "cost": 1,
        "remaining": 5400,
        "used": 600,
        "nodeCount": 1,
        "resetAt": format_time(NOW + timedelta(seconds=5.993)),
    }


def test_where_there_is_no_limit_there_is_always_all(made: Fleet) -> None:
    told = made.ask(f"{{ {RATE} }}")["rateLimit"]
    assert told["limit"] == told["remaining"] == 2**31 - 1
    assert (told["used"], told["resetAt"]) == (0, format_time(NOW))


def test_no_answer_about_a_budget_is_anybody_elses(made: Fleet) -> None:
    made.ask("{ rateLimit { remaining } }")
    assert made.context.caller_reads > 0
    assert made.context.moment_reads > 0


DRY = [
    "{ rateLimit(dryRun: true) { cost } rollouts { nodes { name } } }",
    "query Q($dry: Boolean = true) {"
    "  rateLimit(dryRun: $dry) { cost } rollouts { nodes { name } }"
    "}",
    "{ ...F rollouts { nodes { name } } } fragment F on Query { ...G clusters { totalCount } }"
    " fragment G on Query { rateLimit(dryRun: true) { ...C } } fragment C on RateLimit { cost }",
    "{ ... on Query { rateLimit(dryRun: true) { cost } } rollouts { nodes { name } } }",
]


@pytest.mark.parametrize("document", DRY)
def test_a_dry_run_is_measured_whole_and_answers_nothing_else(made: Fleet, document: str) -> None:
    whole = price(document)
    made.context.paid = Paid(whole)
    assert made.ask(document) == {"rateLimit": {"cost": whole.cost}}
    assert whole.cost > 70
    assert whole.points == 1
    assert made.context.fleet_reads == 0


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ rateLimit(dryRun: false) { cost } clusters { totalCount } }", {}),
        ("{ rateLimit { cost } clusters { totalCount } }", {}),
        (
            "query Q($dry: Boolean = true) {"
            "  rateLimit(dryRun: $dry) { cost } clusters { totalCount }"
            "}",
            {"dry": False},
        ),
    ],
)
def test_what_is_no_dry_run_is_answered(
    made: Fleet, document: str, variables: dict[str, Any]
) -> None:
    assert made.ask(document, **variables)["clusters"] == {"totalCount": 1}
    assert price(document, **variables).points > 1


def test_a_dry_run_of_what_is_wrong_says_what_is_wrong(made: Fleet) -> None:
    code, _ = made.error("{ rateLimit(dryRun: true) { cost } nonsense }")
    assert code == "GRAPHQL_VALIDATION_FAILED"
