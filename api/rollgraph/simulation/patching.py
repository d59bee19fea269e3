"""The two ways in which clients describe a change: merge patch and JSON patch."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from rollgraph.simulation.problems import ApiError, bad_request


def merged(target: Any, patch: Any) -> Any:
    """A merge patch applied (RFC 7396): None takes a key away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def patched(target: Any, operations: Any) -> Any:
    """A JSON patch applied (RFC 6902), all of it or nothing.

    Raises a 400 for what is none, a 422 for one that does not fit the object.
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    result = deepcopy(target)
    for operation in operations:
        try:
            result = _applied(result, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ApiError(
                422,
                "Invalid",
                f"the server rejected our request due to an error in our request: {error!r}",
            ) from error
    return result


def _applied(document: Any, operation: Any) -> Any:
    path = _parts(operation["path"])
    match operation["op"]:
        case "add":
            return _put(document, path, deepcopy(operation["value"]), insert=True)
        case "replace":
            _at(document, path)
            return _put(document, path, deepcopy(operation["value"]), insert=False)
        case "remove":
            return _removed(document, path)
        case "move" | "copy" as op:
            source = _parts(operation["from"])
            value = deepcopy(_at(document, source))
            if op == "move":
                document = _removed(document, source)
            return _put(document, path, value, insert=True)
        case "test":
            if _at(document, path) != operation["value"]:
                raise ValueError(f"test of {operation['path']} failed")
            return document
        case other:
            raise ValueError(f"unknown operation {other}")


def _parts(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _at(document: Any, path: Sequence[str]) -> Any:
    for part in path:
        document = document[_index(document, part)]
    return document


def _index(container: Any, part: str) -> Any:
    return int(part) if isinstance(container, list) else part


def _put(document: Any, path: Sequence[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    container, last = _at(document, path[:-1]), path[-1]
    if isinstance(container, list) and insert:
        container.insert(len(container) if last == "-" else int(last), value)
    else:
        container[_index(container, last)] = value
    return document


def _removed(document: Any, path: Sequence[str]) -> Any:
    container = _at(document, path[:-1])
    del container[_index(container, path[-1])]
    return document
