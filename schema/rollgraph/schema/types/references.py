"""References of a federation's router: an object of another subgraph that is one of ours."""

from typing import TypeVar

from rollgraph.core.errors import BadRequestError
from rollgraph.schema.context import Info
from rollgraph.schema.types.kubernetes import Node

N = TypeVar("N", bound=Node)


def referred(expected: type[N], info: Info, global_id: str) -> N | None:
    """The object with this ID, None if it does not exist.

    Raises `BadRequestError` for what is no ID, or one of another type.
    """
    from rollgraph.schema.nodes import node  # it knows all types, and they know us

    found = node(info, global_id)
    if found is None or isinstance(found, expected):
        return found
    raise BadRequestError(f"{global_id!r} is not the id of a {expected.__name__}")
