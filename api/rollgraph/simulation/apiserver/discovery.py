"""What the API server is, and which kinds it knows: enough for kubectl and its plugins."""

from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.resources import RESOURCES, Resource

# The build says what it is.
VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0+simulated",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "simulated",
}
_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
_PART_VERBS = ["get", "patch", "update"]


def answer(path: str) -> Manifest | None:
    """The answer to a path of discovery; None if it is none."""
    parts = path.strip("/").split("/")
    match parts:
        case ["version"]:
            return dict(VERSION)
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups()}
        case ["api", "v1"]:
            return _resources("v1")
        case ["apis", group, version]:
            found = _resources(f"{group}/{version}")
            return found if found["resources"] else None
        case _:
            return None


def _groups() -> list[Manifest]:
    versions = dict.fromkeys(resource.api_version for resource in RESOURCES if resource.group)
    return [
        {
            "name": version.partition("/")[0],
            "versions": [entry := {"groupVersion": version, "version": version.partition("/")[2]}],
            "preferredVersion": entry,
        }
        for version in versions
    ]


def _resources(api_version: str) -> Manifest:
    found = [resource for resource in RESOURCES if resource.api_version == api_version]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def _entries(resource: Resource) -> list[Manifest]:
    entry = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _VERBS,
        "shortNames": list(resource.short),
    }
    if not resource.has_status:
        return [entry]
    part = {**entry, "name": f"{resource.plural}/status", "verbs": _PART_VERBS, "shortNames": []}
    return [entry, part]
