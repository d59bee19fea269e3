"""What a field costs, looked up in the schema and the table of weights once."""

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from rollgraph.schema.limits import weights
from rollgraph.schema.limits.values import Figures, size_of, weigh


class FieldCost(msgspec.Struct, frozen=True):
    """What is known of a field before it is asked for.

    Attributes:
        returns: The type of its objects; None for a leaf, and for a field that does not exist.
        weight: What it costs by itself, without its objects.
        size: How many objects it gives unless an argument says otherwise.
        slicing: The arguments that say it.
        sizes_rows: True where the size is that of the connection's rows: the field itself gives
            one object.
        is_rows: True for a field whose size the connection around it has been told.
        weighed: Its arguments that may cost something.
    """

    returns: GraphQLNamedType | None = None
    weight: int = 0
    size: int = 1
    slicing: tuple[str, ...] = ()
    sizes_rows: bool = False
    is_rows: bool = False
    weighed: Mapping[str, GraphQLInputType] = {}

    def size_in(self, node: FieldNode, figures: Figures) -> int:
        """How many objects this very field asks for."""
        for argument in node.arguments or ():
            if argument.name.value in self.slicing:
                size = size_of(argument.value, figures)
                if size is not None:
                    return size
        return self.size

    def weight_in(self, node: FieldNode, figures: Figures) -> int:
        """What it costs with its arguments, without its objects."""
        return self.weight + sum(
            weigh(argument.value, self.weighed[argument.name.value], figures)
            for argument in node.arguments or ()
            if argument.name.value in self.weighed
        )


_UNKNOWN = FieldCost()


class Costs:
    """What the fields of a schema cost.

    Args:
        schema: The schema. Fields that it does not have cost nothing: another rule reports them.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: dict[tuple[str, str], FieldCost] = {}

    def root(self, operation: Any) -> GraphQLNamedType | None:
        """The type of an operation's own fields."""
        return self._schema.get_root_type(operation)

    def named(self, name: str) -> GraphQLNamedType | None:
        """The type with a name."""
        return self._schema.get_type(name)

    def of(self, parent: GraphQLNamedType | None, name: str) -> FieldCost:
        """What a field costs."""
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return _UNKNOWN
        key = (parent.name, name)
        if key not in self._known:
            field = self._schema.get_field(parent, name)
            # Not kept: there is no end to names that do not exist.
            if field is None:
                return _UNKNOWN
            self._known[key] = _cost(parent.name, name, field)
        return self._known[key]


def _cost(parent: str, name: str, field: GraphQLField) -> FieldCost:
    coordinate = f"{parent}.{name}"
    named = get_named_type(field.type)
    composite = is_composite_type(named)
    listed = is_list_type(get_nullable_type(field.type))
    size = weights.SIZES.get(coordinate)
    if size is None:
        usual = weights.INTROSPECTION_SIZES.get(coordinate, weights.DEFAULT_SIZE)
        size = weights.ListSize(usual if listed else 1)
    return FieldCost(
        returns=named if composite else None,
        weight=weights.FIELD_WEIGHTS.get(coordinate, 0),
        size=size.assumed,
        slicing=(*size.slicing, *size.listing),
        sizes_rows=bool(size.sized),
        is_rows=(parent.endswith("Connection") and name in weights.ROWS)
        or coordinate == weights.RESULTS,
        weighed={key: argument.type for key, argument in field.args.items() if _weighs(argument)},
    )


def _weighs(argument: GraphQLArgument) -> bool:
    """Whether something that can be set in it, however deep, costs something."""
    seen: set[str] = set()
    rest = [get_named_type(argument.type)]
    while rest:
        type_ = rest.pop()
        if not isinstance(type_, GraphQLInputObjectType) or type_.name in seen:
            continue
        seen.add(type_.name)
        if any(f"{type_.name}.{field}" in weights.INPUT_WEIGHTS for field in type_.fields):
            return True
        rest += [get_named_type(field.type) for field in type_.fields.values()]
    return False
