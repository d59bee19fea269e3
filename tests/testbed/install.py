"""What a fresh cluster is given: the CRDs of Argo Rollouts, the users' rights, a node."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from testbed.cluster import Cluster, Object, path_of
from testbed.users import impersonator_rbac, reader_rbac

NODE = "fake-node"  # the one Node: pods run at once on it, and never anywhere else


def install(admin: Cluster, crds: Sequence[Path]) -> None:
    """Create everything, and wait until the CRDs can be used."""
    names = [_create_crd(admin, path) for path in crds]
    for manifest in [*reader_rbac(), *impersonator_rbac(), _node()]:
        admin.apply(manifest)
    for name in names:
        admin.wait_for(
            "CustomResourceDefinition",
            name,
            lambda found: _condition(found, "Established"),
            what="Established",
        )


def wait_node(admin: Cluster) -> None:
    """Wait until the fake kubelet has looked after the node."""
    admin.wait_for("Node", NODE, lambda found: _condition(found, "Ready"), what="Ready")


def _create_crd(admin: Cluster, path: Path) -> str:
    # Sent as the file is: 3 MB of YAML for all five would take PyYAML 20 s to read.
    answer = admin.request(
        "POST",
        path_of("CustomResourceDefinition"),
        body=path.read_bytes(),
        content_type="application/yaml",
    )
    name: str = answer["metadata"]["name"]
    return name


def _node() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "annotations": {"kwok.x-k8s.io/node": "fake"}},
    }


def _condition(found: Object, kind: str) -> bool:
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)
