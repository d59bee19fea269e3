"""The charts, and Helm."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from testbed.build import ensure_built
from testbed.parts import HELM, KUBERNETES

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "deploy" / "charts"
ROLLGRAPH = CHARTS / "rollgraph"
SPOKE = CHARTS / "rollgraph-spoke"
EXAMPLE = ROOT / "deploy" / "kustomize" / "overlays" / "example"
# Where a chart is rendered to, and the namespace of its objects.
RELEASE = "rollgraph"


def values(name: str) -> Path:
    """Values of ours for the chart: `distributed` has all that it can make, `single` the least."""
    return ROLLGRAPH / "ci" / f"{name}-values.yaml"


def helm(*arguments: str | Path, program: str = "helm") -> str:
    """What Helm, or another program of its part, prints; it fails the test with what it says."""
    done = run(*arguments, program=program)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(*arguments: str | Path, program: str = "helm") -> subprocess.CompletedProcess[str]:
    """The same, whatever comes of it."""
    path = ensure_built([HELM]).program(program)
    return subprocess.run([path, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60)


def rendered(
    chart: Path, *flags: str | Path, changed: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """The objects of a chart.

    Args:
        chart: Its folder.
        flags: Of `helm template`, such as `-f` and a file.
        changed: Single values by path, such as `{"gateway.replicas": 3}`.
    """
    sets: list[str] = []
    for path, value in (changed or {}).items():
        sets += ["--set-json", f"{path}={json.dumps(value)}"]
    text = helm("template", RELEASE, chart, "--namespace", RELEASE, *flags, *sets)
    return [document for document in yaml.safe_load_all(text) if document]


def kustomized(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder."""
    kubectl = ensure_built([KUBERNETES]).program("kubectl")
    argv = [str(kubectl), "kustomize", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of_kind(objects: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """The objects of a kind by name."""
    return {o["metadata"]["name"]: o for o in objects if o["kind"] == kind}
