"""Kubernetes objects as JSON has them, and the few ways in which all modules read and change them.

A manifest is a value: whoever wants another one makes a new one, and may share parts with the old.
So the store, its history and all readers can hold the same object.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]

HASH_LABEL = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
DESIRED_REPLICAS = "rollout.argoproj.io/desired-replicas"
SCALE_DOWN_DEADLINE = "scale-down-deadline"


def with_meta(manifest: Manifest, **changes: Any) -> Manifest:
    """The manifest with other metadata; None takes a key away."""
    return {**manifest, "metadata": without_none({**manifest["metadata"], **changes})}


def with_annotations(manifest: Manifest, changes: Mapping[str, str | None]) -> Manifest:
    """The manifest with some annotations changed; None takes one away."""
    annotations = without_none({**annotations_of(manifest), **changes})
    return with_meta(manifest, annotations=annotations or None)


def without_none(mapping: Mapping[str, Any]) -> Manifest:
    """The mapping without keys whose value is None."""
    return {key: value for key, value in mapping.items() if value is not None}


def annotations_of(manifest: Manifest) -> dict[str, str]:
    """Its annotations."""
    found: dict[str, str] = manifest["metadata"].get("annotations") or {}
    return found


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Its labels."""
    found: dict[str, str] = manifest["metadata"].get("labels") or {}
    return found


def status_of(manifest: Manifest) -> Manifest:
    """Its status; empty if it has none yet."""
    found: Manifest = manifest.get("status") or {}
    return found


def name_of(manifest: Manifest) -> str:
    """Its name."""
    return str(manifest["metadata"]["name"])


def namespace_of(manifest: Manifest) -> str:
    """Its namespace, "" for an object of the whole cluster."""
    return str(manifest["metadata"].get("namespace", ""))


def uid_of(manifest: Manifest) -> str:
    """Its UID."""
    return str(manifest["metadata"]["uid"])


def revision_of(manifest: Manifest) -> int:
    """The revision in its annotations, 0 without one."""
    return int(annotations_of(manifest).get(REVISION) or 0)


def hash_of(manifest: Manifest | None) -> str:
    """The pod template hash in its labels, "" without one."""
    return labels_of(manifest).get(HASH_LABEL, "") if manifest is not None else ""


def owner(manifest: Manifest) -> Manifest:
    """A reference to the object as the controller of another."""
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "name": name_of(manifest),
        "uid": uid_of(manifest),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_uid(manifest: Manifest) -> str:
    """The UID of the object that controls this one, "" without one."""
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return ""


@lru_cache(maxsize=64)  # everything that happens at one time asks for it
def stamp(when: datetime) -> str:
    """A time as Kubernetes writes it, in whole seconds of UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime:
    """The time that a stamp tells."""
    return datetime.fromisoformat(text).astimezone(UTC)


def later(text: str, seconds: float) -> datetime:
    """The time so many seconds after a stamp."""
    return moment(text) + timedelta(seconds=seconds)
