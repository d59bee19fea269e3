"""The published schema: current, described, and true to its conventions."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from rollgraph.schema import schema

SDL = Path(__file__).parents[3] / "schema" / "schema.graphql"


@pytest.fixture(scope="module")
def published() -> GraphQLSchema:
    return build_schema(SDL.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "subgraph", "flag"),
    [("schema.graphql", False, ""), ("subgraph.graphql", True, " --federation")],
)
def test_the_committed_sdl_is_that_of_the_code(name: str, subgraph: bool, flag: str) -> None:
    committed = SDL.with_name(name).read_text(encoding="utf-8")
    advice = f"run: uv run rollgraph schema print{flag} > schema/{name}"
    assert committed == schema.print_sdl(subgraph=subgraph), advice


def test_clients_do_not_see_what_is_for_a_router(published: GraphQLSchema) -> None:
    assert published.query_type is not None
    assert {"_entities", "_service"}.isdisjoint(published.query_type.fields)
    assert {"_Any", "_Entity", "_Service"}.isdisjoint(published.type_map)


def test_everything_is_described(published: GraphQLSchema) -> None:
    ours = [
        named
        for named in published.type_map.values()
        if not is_introspection_type(named) and not is_specified_scalar_type(named)
    ]
    assert [place for named in ours for place in undescribed(named)] == []


def undescribed(named: GraphQLNamedType) -> list[str]:
    """The coordinates below a type that say nothing of themselves."""
    bare = [] if named.description else [named.name]
    if isinstance(named, GraphQLEnumType):
        return bare + [f"{named.name}.{k}" for k, v in named.values.items() if not v.description]
    if isinstance(named, GraphQLInputObjectType):
        return bare + [f"{named.name}.{k}" for k, v in named.fields.items() if not v.description]
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in named.fields.items():
            bare += [] if field.description else [f"{named.name}.{name}"]
            bare += [
                f"{named.name}.{name}({k})" for k, a in field.args.items() if not a.description
            ]
    return bare


def test_every_connection_has_edges_nodes_page_info_and_a_count(published: GraphQLSchema) -> None:
    connections = [t for n, t in published.type_map.items() if n.endswith("Connection")]
    assert connections
    for connection in connections:
        assert isinstance(connection, GraphQLObjectType)
        assert {"edges", "nodes", "pageInfo", "totalCount"} <= connection.fields.keys()


def test_every_mirrored_kubernetes_object_is_a_node(published: GraphQLSchema) -> None:
    kinds = ("Rollout", "ReplicaSet", "Pod", "AnalysisRun", "Experiment")
    for name in kinds:
        kind = published.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert {i.name for i in kind.interfaces} == {"Node", "KubernetesObject"}
