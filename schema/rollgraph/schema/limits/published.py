"""The table of weights in the published schema, as `@cost` and `@listSize`."""

from collections.abc import Iterable

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost
from strawberry.federation.schema_directives import ListSize as ListSizeDirective
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from rollgraph.schema.limits.weights import FIELD_WEIGHTS, INPUT_WEIGHTS, SIZES, ListSize


def publish(
    fields: Iterable[StrawberryField], type_: StrawberryObjectDefinition, names: NameConverter
) -> None:
    """Gives fields of a type the directives of the table; those that have them are left alone."""
    for field in fields:
        coordinate = f"{names.from_type(type_)}.{names.from_field(field)}"
        weight = (INPUT_WEIGHTS if type_.is_input else FIELD_WEIGHTS).get(coordinate)
        if weight is not None:
            _add(field, Cost(weight=weight))
        # A router has its own idea of how many `_entities` it asks for.
        if coordinate in SIZES and coordinate != "Query._entities":
            _add(field, _list_size(SIZES[coordinate]))


def _add(field: StrawberryField, directive: object) -> None:
    # A schema is built for serving and for printing, from the same fields.
    if not any(isinstance(known, type(directive)) for known in field.directives):
        field.directives = [*field.directives, directive]


def _list_size(size: ListSize) -> ListSizeDirective:
    return ListSizeDirective(
        assumed_size=size.assumed,
        slicing_arguments=list(size.slicing) or UNSET,
        sized_fields=list(size.sized) or UNSET,
        require_one_slicing_argument=False if size.slicing else UNSET,
    )
