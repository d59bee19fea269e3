"""The schema as a page of the site: each type with its fields and their words, from the SDL."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    print_ast,
)
from graphql.pyutils import Undefined
from graphql.utilities import ast_from_value

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"
_ROOTS = ("Query", "Mutation", "Subscription")
_KINDS: tuple[tuple[str, type[GraphQLNamedType]], ...] = (
    ("Objects", GraphQLObjectType),
    ("Interfaces", GraphQLInterfaceType),
    ("Unions", GraphQLUnionType),
    ("Inputs", GraphQLInputObjectType),
    ("Enums", GraphQLEnumType),
    ("Scalars", GraphQLScalarType),
)
_HEAD = """# Schema

All that can be asked for, from [schema.graphql](../repository/schema/schema.graphql), which
`rollgraph schema print` prints, `/schema.graphql` serves, and GraphiQL shows beside the query.
A `!` means that it is never null.
"""


def markdown() -> str:
    """The whole page."""
    schema = build_schema(SDL.read_text("utf-8"))
    return "\n".join([_HEAD, *_roots(schema), *_others(schema)]) + "\n"


def _roots(schema: GraphQLSchema) -> Iterator[str]:
    for name in _ROOTS:
        root = schema.type_map[name]
        assert isinstance(root, GraphQLObjectType)
        yield f"## {name}\n\n{root.description or ''}\n"
        for field_name, field in root.fields.items():
            yield from _root_field(name, field_name, field)


def _root_field(root: str, name: str, field: GraphQLField) -> Iterator[str]:
    yield f"### {root}.{name}\n\n{field.description or ''}\n\nAnswers {_type(field)}.\n"
    if field.args:
        yield from _table("argument", field.args)


def _others(schema: GraphQLSchema) -> Iterator[str]:
    for title, kind in _KINDS:
        found = [
            each
            for name, each in sorted(schema.type_map.items())
            if isinstance(each, kind) and not name.startswith("__") and name not in _ROOTS
        ]
        if found:
            yield f"## {title}\n"
        for each in found:
            yield f"### {each.name}\n\n{each.description or ''}\n"
            yield from _members(schema, each)


def _members(schema: GraphQLSchema, each: GraphQLNamedType) -> Iterator[str]:
    match each:
        case GraphQLObjectType() | GraphQLInterfaceType():
            if each.interfaces:
                yield f"Is {_links(i.name for i in each.interfaces)}.\n"
            if isinstance(each, GraphQLInterfaceType):
                kinds = schema.get_implementations(each).objects
                yield f"One of {_links(sorted(k.name for k in kinds))}.\n"
            yield from _table("field", each.fields)
        case GraphQLInputObjectType():
            yield from _table("field", each.fields)
        case GraphQLUnionType():
            yield f"One of {_links(t.name for t in each.types)}.\n"
        case GraphQLEnumType():
            yield "| value | |\n|---|---|"
            for name, value in each.values.items():
                yield f"| `{name}` | {_cell(value.description)} |"
            yield ""
        case _:
            pass  # a scalar has none


def _table(
    what: str,
    members: Mapping[str, GraphQLField]
    | Mapping[str, GraphQLArgument]
    | Mapping[str, GraphQLInputField],
) -> Iterator[str]:
    yield f"| {what} | type | |\n|---|---|---|"
    for name, member in members.items():
        yield f"| `{name}` | {_type(member)} | {_cell(_sentence(member))} |"
    yield ""


def _sentence(member: GraphQLField | GraphQLArgument | GraphQLInputField) -> str:
    """What it is, with its default or its arguments."""
    words = [member.description or ""]
    if member.deprecation_reason:
        words.append(f"**Deprecated:** {member.deprecation_reason}")
    if isinstance(member, GraphQLField):
        arguments = [f"`{name}: {each.type}`" for name, each in member.args.items()]
        words += [f"Arguments: {', '.join(arguments)}."] if arguments else []
    elif member.default_value not in (Undefined, None):
        words.append(f"Default: `{_literal(member)}`.")
    return "\n\n".join(filter(None, words))


def _literal(member: GraphQLArgument | GraphQLInputField) -> str:
    node = ast_from_value(member.default_value, member.type)
    return print_ast(node) if node else "null"


def _type(member: GraphQLField | GraphQLArgument | GraphQLInputField) -> str:
    """The type as it is written, with a link to where it is told of."""
    name = get_named_type(member.type).name
    before, after = str(member.type).split(name)
    return f"{_escaped(before)}{_links([name])}{_escaped(after)}"


def _links(names: Iterator[str] | list[str]) -> str:
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)


def _cell(text: str | None) -> str:
    return re.sub(r"\s*\n\s*", " ", text or "").replace("|", "\\|")
