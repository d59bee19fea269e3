"""The undo: an earlier revision's pod template once more."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from rollgraph.core.actions.action import PromoteFull, Undo
from rollgraph.core.actions.guards import not_applicable, nothing_to_do, unready
from rollgraph.core.actions.plan import (
    Expectations,
    FollowUp,
    Live,
    Manifest,
    Need,
    Plan,
    Reason,
    Refusal,
    Resource,
)
from rollgraph.core.actions.workload import holder, unsupported, workload_needs
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import POD_TEMPLATE_HASH_LABEL, ReplicaSet
from rollgraph.core.refs import Kind

# What the controller has added to a ReplicaSet's template (canaryMetadata and the like).
EPHEMERAL_ANNOTATION = "rollout.argoproj.io/ephemeral-metadata"


def no_undo(rollout: Rollout, replica_sets: Sequence[ReplicaSet]) -> Refusal | None:
    """Why there is no revision to go back to."""
    if refusal := unready(rollout) or unsupported(rollout):
        return refusal
    if len(_others(rollout, replica_sets)) == 0:
        return not_applicable("there is no other revision to go back to")
    return None


def replica_set_need(rollout: Rollout) -> Need:
    """The ReplicaSets that the controller has made, this rollout's among them."""
    return Need(Resource.REPLICA_SET, rollout.metadata.namespace, selector=POD_TEMPLATE_HASH_LABEL)


def undo_needs(rollout: Rollout) -> tuple[Need, ...]:
    """The kept revisions, and where the template has to be written."""
    return (replica_set_need(rollout), *workload_needs(rollout))


def undo(action: Undo, rollout: Rollout, live: Live) -> Plan | Refusal:
    """The template of a kept ReplicaSet replaces the present one.

    It is compared by its hash, not field by field: the plugin takes a template that only lacks some
    fields of the other one for the same.
    """
    kept = list(_kept(rollout, live))
    sets = [item for item, _ in kept]
    if refusal := no_undo(rollout, sets):
        return refusal
    chosen = _chosen(action, rollout, sets)
    if isinstance(chosen, Refusal):
        return chosen
    place = holder(rollout, live)
    if isinstance(place, Refusal):
        return place
    value = next(_template(manifest) for item, manifest in kept if item is chosen)
    patch = place.patch({"op": "replace", "path": place.pointer(), "value": value})
    message = f"brings back revision {chosen.metadata.revision}"
    if not action.full:
        return Plan((patch,), message)
    then = FollowUp(PromoteFull(), Expectations(pod_template_hash=chosen.pod_template_hash))
    return Plan((patch,), f"{message} and promotes it in full", then=then)


def _kept(rollout: Rollout, live: Live) -> Iterable[tuple[ReplicaSet, Manifest]]:
    """The rollout's own ReplicaSets, with their manifests."""
    for manifest in live.found.get(replica_set_need(rollout), ()):
        found = read_object(Kind.REPLICA_SET, manifest)
        assert isinstance(found, ReplicaSet)
        if rollout.metadata.uid in found.metadata.owner_uids and not found.unreadable:
            yield found, manifest


def _others(rollout: Rollout, replica_sets: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """Revisions other than the present one, newest first."""
    present = rollout.status.current_pod_hash
    found = [
        item
        for item in replica_sets
        if item.metadata.revision > 0 and item.pod_template_hash != present
    ]
    return sorted(found, key=lambda item: item.metadata.revision, reverse=True)


def _chosen(
    action: Undo, rollout: Rollout, replica_sets: Sequence[ReplicaSet]
) -> ReplicaSet | Refusal:
    others = _others(rollout, replica_sets)
    if action.to_revision is None:
        return others[0]
    if action.to_revision < 1:
        return Refusal(Reason.INVALID, f"revisions count from 1; got {action.to_revision}")
    named = [item for item in replica_sets if item.metadata.revision == action.to_revision]
    if not named:
        known = ", ".join(str(item.metadata.revision) for item in reversed(others))
        return Refusal(
            Reason.NOT_FOUND,
            f"revision {action.to_revision} is not kept; to go back to there are: {known}",
        )
    if named[0].pod_template_hash == rollout.status.current_pod_hash:
        return nothing_to_do(f"revision {action.to_revision} is the present one")
    return named[0]


def _template(replica_set: Manifest) -> Manifest:
    """The template as the rollout had it: without what the controller has added to it."""
    template: Manifest = replica_set["spec"]["template"]
    metadata = dict(template.get("metadata") or {})
    # Go writes it as null, which is no value for a Rollout.
    if metadata.get("creationTimestamp") is None:
        metadata.pop("creationTimestamp", None)
    added = _ephemeral(replica_set)
    for part in ("labels", "annotations"):
        gone = {*(added.get(part) or ()), POD_TEMPLATE_HASH_LABEL}
        if metadata.get(part):
            metadata[part] = {k: v for k, v in metadata[part].items() if k not in gone}
    return {**template, "metadata": metadata}


def _ephemeral(replica_set: Manifest) -> dict[str, Any]:
    """What canaryMetadata and the like have added; left in, the template would be another one.

    The plugin leaves it in: its undo makes a new revision, whose pods are labelled as the canary's
    for ever.
    """
    text = (replica_set["metadata"].get("annotations") or {}).get(EPHEMERAL_ANNOTATION, "")
    try:
        return msgspec.json.decode(text, type=dict[str, Any]) if text else {}
    except msgspec.DecodeError:
        return {}
