"""Where a rollout's pod template is: in the rollout, or in what its workloadRef names."""

from typing import Any

import msgspec

from rollgraph.core.actions.guards import not_applicable
from rollgraph.core.actions.plan import (
    Live,
    Manifest,
    Need,
    Patch,
    PatchType,
    Reason,
    Refusal,
    Resource,
)
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import ObjectKey

# By API group and kind, those that the controller takes (rollout/templateref.go), and where each
# keeps its template. The plugin knows a PodTemplate only as something to undo, and there in the
# wrong place.
_KINDS: dict[tuple[str, str], tuple[Resource, tuple[str, ...]]] = {
    ("apps", "Deployment"): (Resource.DEPLOYMENT, ("spec", "template")),
    ("apps", "ReplicaSet"): (Resource.REPLICA_SET, ("spec", "template")),
    ("", "PodTemplate"): (Resource.POD_TEMPLATE, ("template",)),
}


class Holder(msgspec.Struct, frozen=True):
    """The object that has the template.

    Attributes:
        path: Where in the object.
    """

    resource: Resource
    key: ObjectKey
    path: tuple[str, ...]
    manifest: Manifest

    @property
    def template(self) -> Manifest:
        """The pod template; empty if there is none."""
        found: Any = self.manifest
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def pointer(self, *path: str | int) -> str:
        """A JSON pointer to something in the template."""
        return "".join(f"/{part}" for part in (*self.path, *path))

    def patch(self, *operations: dict[str, Any]) -> Patch:
        """A JSON patch of the object: what it does not name stays byte for byte."""
        return Patch(self.resource, self.key, list(operations), type=PatchType.JSON)


def unsupported(rollout: Rollout) -> Refusal | None:
    """Whether the template is where nobody knows how to write it."""
    ref = rollout.spec.workload_ref
    if ref is None or _kind(rollout) is not None:
        return None
    return not_applicable(
        f"its template is in a {ref.kind or 'nameless kind'} ({ref.api_version}), which Argo"
        " Rollouts does not support"
    )


def workload_needs(rollout: Rollout) -> tuple[Need, ...]:
    """What has to be read to know the template; nothing if the rollout has it."""
    known = _kind(rollout)
    ref = rollout.spec.workload_ref
    if ref is None or known is None:
        return ()
    return (Need(known[0], rollout.metadata.namespace, ref.name),)


def holder(rollout: Rollout, live: Live) -> Holder | Refusal:
    """The object that has the template, as it was read."""
    meta = rollout.metadata
    ref = rollout.spec.workload_ref
    if ref is None:
        key = ObjectKey(meta.namespace, meta.name)
        return Holder(Resource.ROLLOUT, key, ("spec", "template"), live.rollout)
    known = _kind(rollout)
    (need,) = workload_needs(rollout)
    found = live.found.get(need, ())
    if known is None or not found:
        return Refusal(
            Reason.NOT_FOUND, f"its workloadRef names the {ref.kind} {ref.name}, which is not there"
        )
    return Holder(known[0], ObjectKey(meta.namespace, ref.name), known[1], found[0])


def _kind(rollout: Rollout) -> tuple[Resource, tuple[str, ...]] | None:
    ref = rollout.spec.workload_ref
    if ref is None:
        return None
    group, slash, _ = ref.api_version.rpartition("/")
    return _KINDS.get((group if slash else "", ref.kind))
