"""The dashboard asks what the schema has, and finds what it shows."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphql import build_schema, parse, validate

from demos import Demo
from examples.conftest import EXAMPLES

DASHBOARD = json.loads((EXAMPLES / "grafana" / "dashboard.json").read_text("utf-8"))
SDL = Path(__file__).parent.parent.parent / "schema" / "schema.graphql"
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
ASKED = [target["url_options"]["body_graphql_query"] for target in TARGETS]
TITLES = [panel["title"] for panel in DASHBOARD["panels"]]


def at(value: Any, path: str) -> Any:
    """What a selector finds; None where something on the way is null."""
    for name in path.split("."):
        if value is None:
            return None
        value = value[name]
    return value


@pytest.mark.parametrize("query", ASKED, ids=TITLES)
def test_each_query_fits_the_schema(query: str) -> None:
    assert validate(build_schema(SDL.read_text("utf-8")), parse(query)) == []


@pytest.mark.parametrize("target", TARGETS, ids=TITLES)
def test_each_column_is_in_the_answer(running: Demo, target: dict[str, Any]) -> None:
    answer = {"data": running.ask(target["url_options"]["body_graphql_query"])}
    rows = at(answer, target["root_selector"])
    assert isinstance(rows, list)
    for row in rows:
        for column in target["columns"]:
            found = at(row, column["selector"])
            kinds = (int, float) if column["type"] == "number" else str
            assert found is None or isinstance(found, kinds), column


def test_there_are_rows_to_look_at(running: Demo) -> None:
    rows = [
        at({"data": running.ask(query)}, t["root_selector"])
        for query, t in zip(ASKED, TARGETS, strict=True)
    ]
    assert all(rows[:2])


def test_panels_are_apart_and_use_the_data_source() -> None:
    provisioned = yaml.safe_load((EXAMPLES / "grafana" / "provisioning.yaml").read_text("utf-8"))
    (source,) = provisioned["datasources"]
    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]}
    assert used == {source["uid"]}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = [cell for panel in DASHBOARD["panels"] for cell in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken))


def cells(grid: dict[str, int]) -> list[tuple[int, int]]:
    assert grid["x"] + grid["w"] <= 24
    return [
        (x, y)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
