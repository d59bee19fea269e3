"""What arguments say: how many, and what the filter in them weighs.

Variables are reduced to two numbers each before anything else, so that a document has to be
measured once for all values that make no difference.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLType,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    type_from_ast,
)

from rollgraph.schema.connections import MAX_PAGE
from rollgraph.schema.limits.weights import INPUT_WEIGHTS


class Figure(msgspec.Struct, frozen=True):
    """What a value amounts to.

    Attributes:
        size: The number, or the length of the list, or of the list that an object holds; None for
            anything else, null included.
        weight: What is set in it.
    """

    size: int | None = None
    weight: int = 0


# Where an object holds the list that says how many: `input: {targets: {rollouts: []}}`.
_HOLDERS = ("targets", "rollouts")
Figures = Mapping[str, Figure]
NOTHING = Figure()


def figures_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> dict[str, Figure]:
    """The figures of an operation's variables, defaults in place of those that are not given."""
    found = {}
    for definition in operation.variable_definitions or ():
        name, default = definition.variable.name.value, definition.default_value
        type_ = type_from_ast(schema, definition.type)
        if name in variables:
            value = variables[name]
            found[name] = Figure(_size(value), _weight(value, type_))
        elif default is not None:
            found[name] = Figure(size_of(default, {}), weigh(default, type_, {}))
    return found


def size_of(node: ValueNode, figures: Figures) -> int | None:
    """How many a literal or variable asks for."""
    if isinstance(node, VariableNode):
        return figures.get(node.name.value, NOTHING).size
    if isinstance(node, ListValueNode):
        return len(node.values)
    if isinstance(node, ObjectValueNode):
        held = (field.value for field in node.fields if field.name.value in _HOLDERS)
        return next((size_of(value, figures) for value in held), None)
    if isinstance(node, IntValueNode):
        # Python refuses to read thousands of digits at once; no page has five.
        return MAX_PAGE if len(node.value) > 4 else _bounded(int(node.value))
    return None


def weigh(node: ValueNode, type_: GraphQLType | None, figures: Figures) -> int:
    """What is set in a literal, with the variables in it.

    By recursion, which the parser bounds: it takes no literal that is nested more than 200 deep.
    """
    if isinstance(node, VariableNode):
        return figures.get(node.name.value, NOTHING).weight
    item = get_named_type(type_)
    if not isinstance(item, GraphQLInputObjectType):
        return 0
    if isinstance(node, ListValueNode):
        return sum(weigh(value, item, figures) for value in node.values)
    if isinstance(node, ObjectValueNode):
        return sum(
            _weight_of_field(item, field.name.value)
            + weigh(field.value, _field_type(item, field.name.value), figures)
            for field in node.fields
        )
    return 0


def _size(value: object) -> int | None:
    while isinstance(value, dict):
        value = next((value[name] for name in _HOLDERS if name in value), None)
    if isinstance(value, list):
        return len(value)
    # True is an int to Python, but no number to GraphQL.
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(value)
    return None


def _bounded(number: int) -> int:
    """Nobody gets more than a full page: what asks for more is refused when it is executed."""
    return min(max(number, 0), MAX_PAGE)


def _weight(value: object, type_: GraphQLType | None) -> int:
    """What is set in a variable's value.

    With a list of what is still to do, not by recursion: JSON may be nested 1,000 deep.
    """
    total = 0
    rest = [(value, type_)]
    while rest:
        value, type_ = rest.pop()
        item = get_named_type(type_)
        if not isinstance(item, GraphQLInputObjectType):
            continue
        if isinstance(value, list):
            rest += [(inner, item) for inner in value]
        elif isinstance(value, dict):
            total += sum(_weight_of_field(item, name) for name in value)
            rest += [(inner, _field_type(item, name)) for name, inner in value.items()]
    return total


def _weight_of_field(type_: GraphQLInputObjectType, name: str) -> int:
    return INPUT_WEIGHTS.get(f"{type_.name}.{name}", 0)


def _field_type(type_: GraphQLInputObjectType, name: str) -> GraphQLType | None:
    field = type_.fields.get(name)
    return field.type if field else None
