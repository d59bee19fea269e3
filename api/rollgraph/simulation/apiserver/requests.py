"""What a request asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from rollgraph.core.errors import BadFilterError
from rollgraph.core.labels import selector
from rollgraph.simulation.manifests import Manifest, labels_of
from rollgraph.simulation.problems import ApiError, bad_request
from rollgraph.simulation.resources import BY_PATH, Resource

Filter = Callable[[Manifest], bool]


@dataclass(frozen=True)
class Target:
    """A collection, an object or a part of one.

    Attributes:
        namespace: "" for all.
        name: "" for a collection.
        part: The subresource, "" for the object itself.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    part: str = ""


def target(path: str) -> Target:
    """What a path names; raises a 404 for one that names nothing."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        version, rest = parts[1:2], parts[2:]
    else:
        version, rest = parts[1:3], parts[3:]
    api_version, namespace = "/".join(version), ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = BY_PATH.get((api_version, rest[0] if rest else ""))
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    return Target(resource, namespace, *rest[1:])


def wanted(query: Mapping[str, str]) -> Filter:
    """The predicate that the selectors of a request mean; raises a 400."""
    try:
        by_labels = selector(query.get("labelSelector", ""))
    except BadFilterError as error:
        raise bad_request(f"unable to parse requirement: {error}") from error
    fields = [_field(part) for part in query.get("fieldSelector", "").split(",") if part]
    return lambda manifest: (
        by_labels(labels_of(manifest)) and all(field(manifest) for field in fields)
    )


def _field(text: str) -> Filter:
    """A field selector such as `involvedObject.name=cart`."""
    path, operator, value = text.replace("==", "=").partition("=")
    if not operator:
        raise bad_request(f"invalid selector: {text!r}; can't understand {text!r}")
    equal, path = not path.endswith("!"), path.removesuffix("!")

    def holds(manifest: Manifest) -> bool:
        found: Any = manifest
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return (str(found or "") == value) is equal

    return holds


def version(query: Mapping[str, str], name: str = "resourceVersion") -> int | None:
    """The version in a request, None without one; raises a 400."""
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise bad_request(f"Invalid value: {text!r}: {name} must be a number")
    return int(text)


def truth(query: Mapping[str, str], name: str) -> bool:
    """A switch in a request."""
    return query.get(name, "").lower() in ("true", "1")


def content_type(request: Request) -> str:
    """The type of a body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip()
