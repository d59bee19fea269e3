"""The schema by the rules of @graphql-eslint, for public schemas and for Relay."""

import json
from pathlib import Path

from graphql import GraphQLObjectType, build_schema, get_named_type

from conformance.suite import Suites

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_the_schema_passes(suites: Suites) -> None:
    complaints, rules = lint(suites, SDL.read_text("utf-8"))
    assert complaints == []
    assert rules > 15


def test_the_rules_are_applied(suites: Suites) -> None:
    complaints, _ = lint(suites, "type Query { page: page } type page { a: Int }")
    assert any("require-description" in complaint for complaint in complaints)


def test_every_edge_but_those_of_events_leads_to_a_node() -> None:
    others = set()
    for type_ in build_schema(SDL.read_text("utf-8")).type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_.name.endswith("Edge"):
            node = get_named_type(type_.fields["node"].type)
            assert isinstance(node, GraphQLObjectType)
            if "Node" not in {interface.name for interface in node.interfaces}:
                others.add(node.name)
    assert others == {"AuditEvent", "KubernetesEvent"}


def lint(suites: Suites, sdl: str) -> tuple[list[str], int]:
    """What is wrong with a schema, and how many rules it was held to."""
    (suites.folder / "schema.graphql").write_text(sdl, "utf-8")
    eslint = suites.folder / "node_modules" / "eslint" / "bin" / "eslint.js"
    config = ("--config", "suites/eslint.config.mjs")
    status, out, err = suites.run(eslint, *config, "--format", "json", "schema.graphql")
    assert status in (0, 1), err
    (file,) = json.loads(out)
    _, printed, _ = suites.run(eslint, *config, "--print-config", "schema.graphql")
    rules = [name for name, (level, *_) in json.loads(printed)["rules"].items() if level]
    messages = [f"{m.get('line')}: {m['message']} ({m['ruleId']})" for m in file["messages"]]
    return messages, len(rules)
