"""JSON schemas for kubeconform: of Kubernetes from a wheel, of other objects from their CRDs."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from testbed.build import ensure_built
from testbed.parts import GATEWAY_API, PROMETHEUS_OPERATOR

# The oldest version that the chart says it is for, and the newest that there are schemas of.
OLDEST, NEWEST = "v1.30.0", "v1.37.0"


def write(folder: Path, version: str) -> Path:
    """Writes all schemas of a version into a folder; what kubeconform is to be told of it."""
    for file in _bundled(version).glob("*.json"):
        (folder / file.name).write_text(_at_home(file), "utf-8")
    for crd in crds():
        for name, schema in _of(crd):
            (folder / name).write_text(json.dumps(schema), "utf-8")
    return folder / "{{.ResourceKind}}{{.KindSuffix}}.json"


def crds() -> Iterator[dict[str, Any]]:
    """The CRDs of the Prometheus Operator and of the Gateway API that the chart has objects of."""
    built = ensure_built([PROMETHEUS_OPERATOR, GATEWAY_API])
    for file in [*built.assets("monitoring-crds"), *built.assets("gateway-crds")]:
        yield from (each for each in yaml.safe_load_all(file.read_text("utf-8")) if each)


def _bundled(version: str) -> Path:
    found = find_spec("kubernetes_validate")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "kubernetes-json-schema" / f"{version}-local-strict"


def _at_home(file: Path) -> str:
    """A schema that refers to its neighbours; it was made to be served from a certain host."""
    schema = json.loads(file.read_text("utf-8"))
    schema.pop("$id", None)
    return json.dumps(schema).replace("/api/_definitions.json#", "_definitions.json#")


def _of(crd: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, group = crd["spec"]["names"]["kind"].lower(), crd["spec"]["group"].split(".")[0]
    for version in crd["spec"]["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        yield f"{kind}-{group}-{version['name']}.json", schema


def _strict(part: Any) -> Any:
    """A schema that knows no other fields than those that it names, as the API server prunes."""
    match part:
        case {"properties": dict(properties), **rest}:
            closed = {} if rest.get("x-kubernetes-preserve-unknown-fields") else _CLOSED
            inner = {name: _strict(each) for name, each in properties.items()}
            return closed | _strict(rest) | {"properties": inner}
        case {"x-kubernetes-int-or-string": True, **rest}:
            return {key: each for key, each in rest.items() if key not in ("type", "anyOf")}
        case dict():
            return {key: _strict(each) for key, each in part.items()}
        case list():
            return [_strict(each) for each in part]
        case _:
            return part


_CLOSED = {"additionalProperties": False}
