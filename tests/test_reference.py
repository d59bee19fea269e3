"""The reference of errors and limits says what the code does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollgraph.schema.connections import MAX_PAGE
from rollgraph.schema.errors import CODES, INTERNAL
from rollgraph.schema.limits import bounds
from rollgraph.schema.limits.documents import Documents
from rollgraph.schema.limits.measure import Measure
from rollgraph.schema.schema import build_schema
from rollgraph.schema.types.user_errors import USER_ERRORS
from rollgraph.server import failures, rates
from rollgraph.server.documents import persisted
from rollgraph.server.settings import Limits, Rates, Streams
from rollgraph.server.streams.messages import Code
from rollgraph.server.streams.places import TOO_MANY

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
ERRORS = (REFERENCE / "errors.md").read_text("utf-8")
LIMITS = (REFERENCE / "limits.md").read_text("utf-8")
ENDLESS = 10**6


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of a page's tables, heads and lines left out."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def refusals() -> list[str]:
    """The codes of all limits."""
    measure = Measure(
        depth=ENDLESS,
        cost=ENDLESS,
        introspection=ENDLESS,
        aliases=ENDLESS,
        directives=ENDLESS,
        fields=ENDLESS,
        repeats=ENDLESS,
    )
    said = [bounds.too_long(1, 0), *bounds.objections(measure, bounds.Limits(introspection=False))]
    return [str((error.extensions or {})["code"]) for error in said]


def test_every_code_of_an_operation_is_explained() -> None:
    page = ERRORS.partition("## Of a request")[0]
    explained = [cells[0].strip("`") for cells in rows(page) if cells[0].startswith("`")]
    others = {
        INTERNAL,
        "GRAPHQL_VALIDATION_FAILED",
        TOO_MANY,
        rates.CODE,
        persisted.NOT_FOUND,
        persisted.NOT_SUPPORTED,
        persisted.MISMATCH,
        persisted.NOT_TRUSTED,
    }
    assert sorted(explained) == sorted({*CODES.values(), *others, *refusals()})


def test_every_code_of_a_request_is_explained() -> None:
    page = ERRORS.partition("## Of a request")[2]
    explained = {cells[0]: cells[1].strip("`") for cells in rows(page) if cells[0].isdigit()}
    assert explained == {str(status): code for status, code in failures.CODES.items()}


def test_every_close_code_is_explained() -> None:
    page = ERRORS.partition("## Of a WebSocket")[2].partition("## Of an action")[0]
    explained = [cells[0].strip("`") for cells in rows(page) if cells[0].startswith("`")]
    assert explained == sorted([*map(str, map(int, Code)), "4500"])


def test_every_limit_of_streams_is_told_with_its_default() -> None:
    page = LIMITS.partition("## Streams")[2]
    told = {cells[0].partition("]")[0][9:]: cells[1] for cells in rows(page) if "](" in cells[0]}
    given = {key: f"{value:g}" for key, value in Streams().model_dump().items()}
    del given["heartbeat"]  # no limit
    assert told == given


def test_every_budget_is_told_with_its_default() -> None:
    page = LIMITS.partition("## Rates")[2].partition("## Streams")[0]
    told = {cells[0].partition("]")[0][7:]: cells[1] for cells in rows(page) if "](" in cells[0]}
    assert told == {key: str(value) for key, value in Rates().model_dump().items()}


def test_every_user_error_is_explained() -> None:
    page = ERRORS.partition("## Of an action")[2]
    explained = {cells[0]: cells[1] for cells in rows(page) if cells[1] != "type"}
    assert explained == {f"`{each.kind}`": f"`{each.__name__}`" for each in USER_ERRORS}


def test_every_limit_is_explained_with_its_default() -> None:
    told = {cells[0]: cells[1] for cells in rows(LIMITS) if len(cells) == 4}
    del told["what"]
    default = Limits()
    assert told == {
        "body": f"{default.body} KiB",
        "tokens": str(default.tokens),
        "depth": str(default.depth),
        "cost": str(default.cost),
        "aliases": str(default.aliases),
        "root fields": str(default.root_fields),
        "directives": str(default.directives),
        "repeats": str(bounds.MAX_REPEATS),
        "introspection": str(bounds.MAX_INTROSPECTION),
        "page": str(MAX_PAGE),
        "time": f"{default.timeout:g} s",
        "time of a mutation": f"{default.action_timeout:g} s",
    }


EXAMPLES = re.findall(r"^\| `(\{.*\})` \| (\d+)( \(refused\))? \|$", LIMITS, re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 7


@pytest.mark.parametrize(("query", "cost", "refused"), EXAMPLES)
def test_the_examples_cost_what_is_said(query: str, cost: str, refused: str) -> None:
    documents = Documents(build_schema()._schema, bounds.DEFAULTS)
    verdict = documents.check(documents.read(query), None, {})
    assert verdict.cost == int(cost)
    assert bool(verdict.errors) == bool(refused)
