"""Objects of a spoke as YAML files, named by what is to be seen in them.

Every function takes a merge patch (RFC 7396: None removes a key), so that a test shows the one
difference that matters.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet
from rollgraph.core.refs import Kind

DATA = Path(__file__).parent / "data"
Patch = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a time is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def manifests(path: str) -> list[dict[str, Any]]:
    """All documents of a file, fresh."""
    text = (DATA / f"{path}.yaml").read_text(encoding="utf-8")
    return list(yaml.load_all(text, _Loader))


def manifest(path: str, patch: Patch | None = None) -> dict[str, Any]:
    """The one document of a file, with changes."""
    (document,) = manifests(path)
    return merged(document, patch or {})


def merged(document: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """The document with a merge patch applied."""
    result = {key: value for key, value in document.items() if patch.get(key, "") is not None}
    for key, value in patch.items():
        if isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        elif value is not None:
            result[key] = value
    return result


def rollout(name: str, patch: Patch | None = None) -> Rollout:
    """A rollout of `data/rollouts`."""
    return as_rollout(manifest(f"rollouts/{name}", patch))


def as_rollout(document: dict[str, Any]) -> Rollout:
    """A rollout as a spoke's API server would deliver it."""
    decoded = kube_object(Kind.ROLLOUT, encoded(document))
    assert isinstance(decoded, Rollout)
    return decoded


def pod(name: str, patch: Patch | None = None) -> Pod:
    """A pod of `data/pods`."""
    decoded = kube_object(Kind.POD, encoded(manifest(f"pods/{name}", patch)))
    assert isinstance(decoded, Pod)
    return decoded


def replica_set(name: str, patch: Patch | None = None) -> ReplicaSet:
    """A ReplicaSet of `data/replicasets`."""
    decoded = kube_object(Kind.REPLICA_SET, encoded(manifest(f"replicasets/{name}", patch)))
    assert isinstance(decoded, ReplicaSet)
    return decoded


def analysis_run(name: str, patch: Patch | None = None) -> AnalysisRun:
    """An AnalysisRun of `data/analysisruns`."""
    decoded = kube_object(Kind.ANALYSIS_RUN, encoded(manifest(f"analysisruns/{name}", patch)))
    assert isinstance(decoded, AnalysisRun)
    return decoded


def experiment(name: str, patch: Patch | None = None) -> Experiment:
    """An Experiment of `data/experiments`."""
    decoded = kube_object(Kind.EXPERIMENT, encoded(manifest(f"experiments/{name}", patch)))
    assert isinstance(decoded, Experiment)
    return decoded


def family(name: str, patch: Patch | None = None) -> tuple[Rollout, Belongings]:
    """A rollout with its belongings, of `data/families`; the patch is for the rollout."""
    documents = manifests(f"families/{name}")
    (root,) = (document for document in documents if document["kind"] == "Rollout")
    rest = [
        kube_object(Kind(document["kind"]), encoded(document))
        for document in documents
        if document is not root
    ]
    return as_rollout(merged(root, patch or {})), Belongings(
        replica_sets=[item for item in rest if isinstance(item, ReplicaSet)],
        pods=[item for item in rest if isinstance(item, Pod)],
        analysis_runs=[item for item in rest if isinstance(item, AnalysisRun)],
        experiments=[item for item in rest if isinstance(item, Experiment)],
        workload=next((item for item in rest if isinstance(item, Deployment)), None),
    )


def encoded(document: object) -> bytes:
    """A document as an API server would send it."""
    return json.dumps(document).encode()
