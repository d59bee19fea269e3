"""Small manifests, as an API server would send them."""

from typing import Any

Manifest = dict[str, Any]


def owner(kind: str, name: str, namespace: str = "default") -> Manifest:
    """A reference to an object that `FakeCluster` holds without a uid of its own."""
    return {"kind": kind, "name": name, "uid": f"{kind}-{namespace}-{name}", "controller": True}


def thing(
    name: str, version: int | str = "", *, namespace: str = "default", **meta: Any
) -> Manifest:
    """An object that has nothing but metadata."""
    made: Manifest = {"name": name, "namespace": namespace, **meta}
    if version != "":
        made["resourceVersion"] = str(version)
    return {"metadata": made}


def owned(name: str, *owners: Manifest, **meta: Any) -> Manifest:
    """An object that others own."""
    return thing(name, ownerReferences=list(owners), **meta)


def rollout(name: str, *, namespace: str = "default", workload: str = "", **more: Any) -> Manifest:
    """A canary; with `workload`, one that takes its template from that Deployment."""
    spec: Manifest = {"replicas": 1, "strategy": {"canary": {"steps": [{"setWeight": 20}]}}}
    if workload:
        spec["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload}
    made = thing(name, namespace=namespace, creationTimestamp="2026-11-24T10:00:00Z")
    return made | {"spec": spec, "status": {}} | more
