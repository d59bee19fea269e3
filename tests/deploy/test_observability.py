"""Alerts are raised when they should be, and what dashboards ask for is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.charts import ROLLGRAPH, ROOT
from promtool import promtool
from rollgraph.adapters.prometheus import families

RULES = ROLLGRAPH / "files" / "alerts.yaml"
TESTS = Path(__file__).with_name("alerts.test.yaml")
DASHBOARDS = sorted((ROLLGRAPH / "files" / "dashboards").glob("*.json"))

FAMILIES = {each.name: each for each in families.EVERY}
# What Prometheus adds to each, and what a histogram has.
ALWAYS = {"instance", "le"}
# A metric and what is asked of its labels; what is grouped by.
METRIC = re.compile(r"\b((?:rollgraph|process|python)_\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text("utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """All that is asked of Prometheus, with where."""
    for alert in alerts():
        yield alert["alert"], alert["expr"]
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield f"{dashboard.stem}: {panel['title']} {target['refId']}", target["expr"]


EXPRESSIONS = [*expressions()]


def family(name: str) -> families.Family | None:
    """What a series is of."""
    return FAMILIES.get(name) or FAMILIES.get(re.sub(r"_(bucket|sum|count)$", "", name))


def test_prometheus_takes_the_rules_and_raises_each_as_it_should() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", TESTS)


def test_each_alert_is_tested_when_it_is_raised_and_when_it_is_not() -> None:
    expected: dict[str, set[bool]] = {}
    for test in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]:
        for each in test["alert_rule_test"]:
            expected.setdefault(each["alertname"], set()).add(bool(each.get("exp_alerts")))
    assert expected == {alert["alert"]: {True, False} for alert in alerts()}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_says_what_it_means_and_where_to_read_on(alert: dict[str, Any]) -> None:
    said = alert["annotations"]
    assert alert["labels"]["severity"] in {"info", "warning", "critical"}
    assert said["summary"]
    assert said["description"].endswith(".")
    page, _, anchor = said["runbook"].partition("#")
    headings = re.findall(r"^## (.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert alert["alert"] in headings
    assert anchor == alert["alert"].lower()


def test_prometheus_can_read_what_dashboards_ask_for(tmp_path: Path) -> None:
    rules = [
        {"record": f"asked:{number}", "expr": expr.replace("$__rate_interval", "5m")}
        for number, (_, expr) in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "asked.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), "utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", "--lint=none", file)


@pytest.mark.parametrize(("where", "expr"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_what_is_asked_for_is_told(where: str, expr: str) -> None:
    labels = set(ALWAYS)
    asked: set[str] = set()
    for name, matchers in METRIC.findall(expr):
        asked |= set(re.findall(r"(\w+)\s*[=!]", matchers))
        found = family(name)
        if name.startswith("rollgraph_"):
            assert found is not None, name
            labels |= set(found.labels)
    for group in GROUPED.findall(expr):
        asked |= {label.strip() for label in group.split(",")}
    assert asked <= labels


def test_each_metric_of_ours_is_on_a_dashboard() -> None:
    shown = {
        found.name
        for where, expr in EXPRESSIONS
        if ": " in where
        for name, _ in METRIC.findall(expr)
        if (found := family(name)) is not None
    }
    assert FAMILIES.keys() - shown == set()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_chooses_its_prometheus_and_explains_each_panel(dashboard: Path) -> None:
    whole = json.loads(dashboard.read_text("utf-8"))
    ids = [panel["id"] for panel in whole["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["description"].endswith(".") for panel in whole["panels"])
    assert {panel["datasource"]["uid"] for panel in whole["panels"]} == {"${datasource}"}
    assert len(DASHBOARDS) == 2
