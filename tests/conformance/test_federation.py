"""The subgraph composes into a supergraph, alone and beside one that refers to rollouts."""

from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema, print_ast

from conformance.suite import Suites

SUBGRAPH = Path(__file__).parents[2] / "schema" / "subgraph.graphql"
# A service catalogue that knows which rollout a service is.
CATALOGUE = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { service(name: String!): Service }
type Service @key(fields: "name") { name: String! rollout: Rollout }
type Rollout @key(fields: "clusterName namespace name", resolvable: false) {
  clusterName: String!
  namespace: String!
  name: String!
}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.graphql"
    path.write_text(CATALOGUE, "utf-8")
    return path


def test_it_composes_alone(suites: Suites) -> None:
    verdict = suites.ask("compose.mjs", f"rollgraph={SUBGRAPH}")
    assert verdict["errors"] == []
    assert "@join__graph" in verdict["supergraph"]


def test_what_fields_ask_of_callers_reaches_the_router(suites: Suites) -> None:
    supergraph = suites.ask("compose.mjs", f"rollgraph={SUBGRAPH}")["supergraph"]
    root = build_schema(supergraph).query_type
    assert root is not None
    node = root.fields["rollout"].ast_node
    assert node is not None
    assert {directive.name.value: print_ast(directive) for directive in node.directives} == {
        "authenticated": "@authenticated",
        "requiresScopes": '@requiresScopes(scopes: [["rollouts:read"]])',
        "rbac": '@rbac(action: "get", object: "rollout")',
    }


def test_others_can_refer_to_rollouts(suites: Suites, catalogue: Path) -> None:
    verdict = suites.ask("compose.mjs", f"rollgraph={SUBGRAPH}", f"catalogue={catalogue}")
    assert verdict["errors"] == []
    service = build_schema(verdict["supergraph"]).type_map["Service"]
    assert isinstance(service, GraphQLObjectType)
    assert str(service.fields["rollout"].type) == "Rollout"


def test_what_does_not_fit_is_found(suites: Suites, catalogue: Path) -> None:
    catalogue.write_text(CATALOGUE.replace("namespace: String!", "namespace: Int!"), "utf-8")
    verdict = suites.ask("compose.mjs", f"rollgraph={SUBGRAPH}", f"catalogue={catalogue}")
    assert verdict["errors"]
