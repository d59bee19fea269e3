"""Changes by clients: what is written of what they send, and what is refused."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from rollgraph.simulation import problems
from rollgraph.simulation.apiserver.requests import Target
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.controller.hashing import letters
from rollgraph.simulation.manifests import Manifest, name_of, namespace_of, with_meta
from rollgraph.simulation.patching import merged, patched

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class Writes:
    """Writes to one cluster."""

    def __init__(self, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._now = now

    def create(self, target: Target, body: bytes, manager: str) -> Manifest:
        """A new object."""
        manifest = self._placed(target, _decoded(body))
        if not manifest["metadata"].get("name"):
            prefix = manifest["metadata"].get("generateName")
            if not prefix:
                raise problems.invalid(
                    target.resource, "", "metadata.name", "name or generateName is required"
                )
            name = prefix + letters(self._cluster.random.randbytes(5))
            manifest = with_meta(manifest, name=name)
        if target.resource.has_status:
            manifest = {key: value for key, value in manifest.items() if key != "status"}
        _check(target, manifest)
        return self._store.create(manifest, self._now(), manager)

    def replace(self, target: Target, body: bytes, manager: str) -> Manifest:
        """An object in place of another."""
        held = self._held(target)
        return self._write(target, held, self._placed(target, _decoded(body)), manager)

    def patch(
        self, target: Target, body: bytes, type_: str, manager: str, *, dry_run: bool = False
    ) -> Manifest:
        """A change described by a patch; a dry run changes nothing."""
        if type_ == APPLY and self._find(target) is None:
            created = with_meta(self._placed(target, _decoded(body)), name=target.name)
            _check(target, created)
            return self._store.create(created, self._now(), manager)
        held, change = self._held(target), _decoded(body, dict if type_ != JSON_PATCH else list)
        match type_:
            case "application/json-patch+json":
                after = patched(held, change)
            case "application/merge-patch+json" | "application/apply-patch+yaml":
                after = merged(held, change)
            case "application/strategic-merge-patch+json" if target.resource.built_in:
                after = merged(held, change)
            case _:
                raise problems.ApiError(
                    415,
                    "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types"
                    f" include: {JSON_PATCH}, {MERGE_PATCH}, {APPLY}",
                )
        return self._write(target, held, after, manager, dry_run=dry_run)

    def delete(self, target: Target) -> Manifest:
        """The end of an object, and of all that it owns."""
        now = self._now()
        if target.resource.kind == "Namespace":
            self._empty(target.name, now)
        return self._cluster.delete(target.resource.kind, target.namespace, target.name, now)

    def _empty(self, namespace: str, now: datetime) -> None:
        for kind in ("Rollout", "Deployment", "Service", "AnalysisTemplate", "Event"):
            for held in self._store.items(kind, namespace):
                self._store.delete(kind, namespace, name_of(held))

    def _find(self, target: Target) -> Manifest | None:
        return self._store.find(target.resource.kind, target.namespace, target.name)

    def _held(self, target: Target) -> Manifest:
        return self._store.get(target.resource.kind, target.namespace, target.name)

    def _placed(self, target: Target, manifest: Manifest) -> Manifest:
        """The manifest with the kind and the namespace of its place."""
        metadata = manifest.get("metadata")
        if not isinstance(metadata, dict):
            raise problems.bad_request("the object has no metadata")
        if manifest.get("kind", target.resource.kind) != target.resource.kind:
            raise problems.bad_request(
                f"the kind of the object ({manifest['kind']}) does not match that of the request"
                f" ({target.resource.kind})"
            )
        manifest = {
            **manifest,
            "kind": target.resource.kind,
            "apiVersion": target.resource.api_version,
        }
        if not target.resource.namespaced:
            return manifest
        namespace = metadata.get("namespace") or target.namespace
        if namespace != target.namespace:
            raise problems.bad_request(
                "the namespace of the provided object does not match the namespace sent on the"
                " request"
            )
        return with_meta(manifest, namespace=namespace)

    def _write(
        self,
        target: Target,
        held: Manifest,
        after: Manifest,
        manager: str,
        *,
        dry_run: bool = False,
    ) -> Manifest:
        if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
            raise problems.invalid(target.resource, target.name, "metadata", "must be an object")
        if name_of(after) != name_of(held) or namespace_of(after) != namespace_of(held):
            raise problems.bad_request(
                f"the name of the object ({name_of(after)}) does not match the name on the URL"
                f" ({name_of(held)})"
            )
        if target.part == "status":
            metadata = {
                **held["metadata"],
                "resourceVersion": after["metadata"].get("resourceVersion"),
            }
            after = {**held, "metadata": metadata} | (
                {"status": after["status"]} if after.get("status") is not None else {}
            )
            after = with_meta(after)
        elif target.resource.has_status:
            after = {key: value for key, value in after.items() if key != "status"}
            after |= {"status": held["status"]} if "status" in held else {}
        _check(target, after)
        if dry_run:
            return self._store.tried(after)
        return self._store.write(after, self._now(), manager)


def _decoded(body: bytes, kind: type[Any] = dict) -> Any:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise problems.bad_request(f"error decoding the body: {error}") from error
    if not isinstance(found, kind):
        raise problems.bad_request(f"expected a JSON {kind.__name__}")
    return found


def _check(target: Target, manifest: Manifest) -> None:
    """The few rules of the real schema that clients meet."""
    name, spec = name_of(manifest), manifest.get("spec")
    if target.resource.kind not in ("Rollout", "ReplicaSet", "Deployment"):
        return
    if not isinstance(spec, dict):
        raise problems.invalid(target.resource, name, "spec", "Required value")
    replicas = spec.get("replicas", 0)
    if replicas is not None and (not isinstance(replicas, int) or isinstance(replicas, bool)):
        raise problems.invalid(
            target.resource,
            name,
            "spec.replicas",
            f"Invalid value: {type(replicas).__name__}: must be an integer",
        )
