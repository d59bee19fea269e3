"""What in deploy/ is written by a program: `scripts/charts` does, and a test compares."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.charts import CHARTS, RELEASE, ROLLGRAPH, ROOT, helm, rendered
from rollgraph.server.settings import Settings

SCHEMA = ROLLGRAPH / "values.schema.json"
KUSTOMIZE = ROOT / "deploy" / "kustomize"
BASE = KUSTOMIZE / "base"
_BASE_VALUES = KUSTOMIZE / "values.yaml"
_NO_USE = ("default", "flag", "format", "value")
# Of Helm's own making: Kustomize has its own way to start pods anew.
_NOT_OURS = ("helm.sh/chart", "app.kubernetes.io/managed-by", "checksum/settings")


def write(target: Path) -> None:
    """Writes all of it below a folder, under the names that it has in the repository."""
    for path, text in everything():
        file = target / path.relative_to(ROOT)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def everything() -> Iterator[tuple[Path, str]]:
    """The texts with their places in the repository, the schema first: Helm checks by it."""
    yield SCHEMA, schema()
    yield from readmes().items()
    yield from base().items()


def schema() -> str:
    """The chart's schema of values: `config` is what the settings are, to the letter."""
    written: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    settings = Settings.model_json_schema(ref_template="#/$defs/{model}")
    ours = {name: each for name, each in written["$defs"].items() if name[0].islower()}
    groups = {name: _plain(each) for name, each in settings.pop("$defs").items()}
    written["$defs"] = ours | groups | {"Settings": _plain(settings)}
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def _plain(part: Any) -> Any:
    """A schema without what Helm has no use for: defaults, and what the command line calls it."""
    match part:
        case {"properties": dict(properties), **rest}:
            return _plain(rest) | {"properties": {k: _plain(v) for k, v in properties.items()}}
        case dict():
            return {k: _plain(v) for k, v in part.items() if k not in _NO_USE}
        case list():
            return [_plain(each) for each in part]
        case _:
            return part


def readmes() -> dict[Path, str]:
    """Each chart's README, by helm-docs from its values."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "charts"
        shutil.copytree(CHARTS, copy)
        helm("--chart-search-root", copy, "--log-level", "error", program="helm-docs")
        return {
            chart / "README.md": (copy / chart.name / "README.md").read_text("utf-8")
            for chart in sorted(CHARTS.iterdir())
        }


def base() -> dict[Path, str]:
    """The base of Kustomize: the chart's objects, one file per kind, without Helm's labels.

    ConfigMaps are generated, so that an overlay can replace a file, and pods follow it by its name.
    """
    objects = [_without_helm(each) for each in rendered(ROLLGRAPH, "-f", _BASE_VALUES)]
    maps = [each for each in objects if each["kind"] == "ConfigMap"]
    kinds: dict[str, list[dict[str, Any]]] = {}
    for each in objects:
        if each["kind"] != "ConfigMap":
            kinds.setdefault(_file_name(each["kind"]), []).append(each)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": RELEASE,
        "resources": sorted(kinds),
        "configMapGenerator": [_generator(each) for each in maps],
    }
    texts = {BASE / "kustomization.yaml": yaml.safe_dump(kustomization, sort_keys=False)}
    for name, found in kinds.items():
        texts[BASE / name] = yaml.safe_dump_all(found, sort_keys=False, width=100)
    for each in maps:
        texts |= {BASE / name: text for name, text in each["data"].items()}
    head = "# Rendered from the chart by scripts/charts: change that, or make an overlay.\n"
    return {path: head + text for path, text in texts.items()}


def _generator(found: dict[str, Any]) -> dict[str, Any]:
    """One ConfigMap. A policy is read again when it changes: no pod need be started for it."""
    name = found["metadata"]["name"]
    lasting = {"disableNameSuffixHash": True} if name.endswith("-policy") else {}
    return {
        "name": name,
        "files": sorted(found["data"]),
        "options": lasting | {"labels": found["metadata"]["labels"]},
    }


def _file_name(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower() + ".yaml"


def _without_helm(part: Any) -> Any:
    match part:
        case dict():
            left = {k: _without_helm(v) for k, v in part.items() if k not in _NOT_OURS}
            return {k: v for k, v in left.items() if (k, v) != ("annotations", {})}
        case list():
            return [_without_helm(each) for each in part]
        case _:
            return part


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
