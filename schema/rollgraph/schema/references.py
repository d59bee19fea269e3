"""References of a federation's router: an object of another subgraph that is one of ours."""

from collections.abc import Mapping
from typing import Any

from rollgraph.core.errors import BadRequestError, NotAllowedError
from rollgraph.schema.context import Info
from rollgraph.schema.nodes import node
from rollgraph.schema.types.kubernetes import Node

# All our keys are texts; whatever else a router adds is none.
_KEYS = frozenset({"id", "name", "clusterName", "namespace"})


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
    key = {name: representation[name] for name in _KEYS & representation.keys()}
    if all(isinstance(value, str) for value in key.values()):
        if "id" in key:
            return _referred(found, info, key["id"])
        if key and hasattr(found, "resolve_reference"):  # else an ID is its only key
            return found.resolve_reference(info=info, **key)
    raise BadRequestError(f"{representation!r} has no key of a {type_name}")


def _referred(expected: type, info: Info, global_id: str) -> Node | None:
    found = node(info, global_id)
    if found is None or isinstance(found, expected):
        return found
    raise BadRequestError(f"{global_id!r} is not the id of a {expected.__name__}")
