"""References of a federation's router: an object of another subgraph that is one of ours."""

from collections.abc import Mapping
from typing import Any, TypeVar

from rollgraph.core.errors import BadRequestError, NotAllowedError
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


def entity(types: Mapping[str, type], info: Info, representation: object) -> object:
    """What a router's representation means: the object, None if it does not exist.

    For what means nothing it gives the error instead of raising it: the other representations of
    the request have their answers all the same.
    """
    try:
        return _entity(types, info, representation)
    except (BadRequestError, NotAllowedError) as error:
        return error


def _entity(types: Mapping[str, type], info: Info, representation: object) -> object:
    if not isinstance(representation, dict):
        raise BadRequestError(f"a representation is an object, got {representation!r}")
    type_name = representation.get("__typename")
    found: Any = types.get(type_name) if isinstance(type_name, str) else None
    if found is None:
        known = ", ".join(sorted(types))
        raise BadRequestError(f"`__typename` is one of {known}; got {type_name!r}")
    # All our keys are texts; whatever else a router adds is none.
    key = {name: representation[name] for name in _KEYS & representation.keys()}
    if not key or not all(isinstance(value, str) for value in key.values()):
        raise BadRequestError(f"{representation!r} has no key of a {type_name}")
    return found.resolve_reference(info=info, **key)


_KEYS = frozenset({"id", "name", "clusterName", "namespace"})
