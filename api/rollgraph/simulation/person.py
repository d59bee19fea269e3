"""What a person does to a rollout with the kubectl plugin: the same patches, in the same order.

Ported from `pkg/kubectl-argo-rollouts/cmd` of Argo Rollouts 1.10 (promote, abort, retry, pause,
restart, undo, set image).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.manifests import (
    HASH_LABEL,
    Manifest,
    name_of,
    namespace_of,
    revision_of,
    stamp,
)
from rollgraph.simulation.patching import merged
from rollgraph.simulation.store import Store

MANAGER = "kubectl-argo-rollouts"


class Patch(NamedTuple):
    """A merge patch of the object, or of its status."""

    body: Manifest
    status: bool = False


def promote(rollout: Manifest) -> Iterator[Patch]:
    """One step, or the end of a pause."""
    facts = Facts(rollout)
    noted = (facts.status.get("canary") or {}).get("currentStepAnalysisRunStatus") or {}
    unclear = noted.get("status") == "Inconclusive" and facts.canary is not None
    index = facts.step_index
    further = None if index is None else min(index + 1, len(facts.steps))
    if unclear and facts.pauses and facts.controller_pause:
        if further is not None:
            body = {"pauseConditions": None, "controllerPause": False, "currentStepIndex": further}
            yield Patch({"status": body}, status=True)
    elif facts.pauses:
        yield Patch({"status": {"pauseConditions": None}}, status=True)
    elif further is not None:
        body = {"pauseConditions": None, "currentStepIndex": further}
        yield Patch({"status": body}, status=True)
    if facts.paused:
        yield Patch({"spec": {"paused": False}})


def promote_fully(rollout: Manifest) -> Iterator[Patch]:
    """All steps, pauses and analyses skipped."""
    facts = Facts(rollout)
    if not facts.fully_promoted:
        yield Patch({"status": {"promoteFull": True}}, status=True)
    if facts.paused:
        yield Patch({"spec": {"paused": False}})


def abort(_: Manifest) -> Iterator[Patch]:
    """Back to the stable template."""
    yield Patch({"status": {"abort": True}}, status=True)


def retry(_: Manifest) -> Iterator[Patch]:
    """An aborted update once more."""
    yield Patch({"status": {"abort": False}}, status=True)


def pause(_: Manifest) -> Iterator[Patch]:
    """Nothing goes on until somebody says so."""
    yield Patch({"spec": {"paused": True}})


def restart(now: datetime) -> Patch:
    """All pods anew."""
    return Patch({"spec": {"restartAt": stamp(now)}})


def set_image(rollout: Manifest, image: str) -> Patch:
    """Another image for the first container: a new revision."""
    containers = rollout["spec"]["template"]["spec"]["containers"]
    changed = [{**containers[0], "image": image}, *containers[1:]]
    return Patch({"spec": {"template": {"spec": {"containers": changed}}}})


def undo(store: Store, rollout: Manifest) -> Manifest:
    """The rollout with the template of the revision before: not a patch, for it replaces."""
    sets = store.owned(rollout["metadata"]["uid"], "ReplicaSet")
    before = sorted(sets, key=revision_of)[-2]
    template = before["spec"]["template"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k != HASH_LABEL}
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    return {**rollout, "spec": {**rollout["spec"], "template": template}}


def apply(store: Store, rollout: Manifest, patch: Patch, now: datetime) -> Manifest:
    """Writes a patch as an API server would: of the object or of its status, never of both."""
    held = store.get("Rollout", namespace_of(rollout), name_of(rollout))
    part = "status" if patch.status else "spec"
    after = {**held, part: merged(held.get(part), patch.body[part])}
    return store.write(after, now, MANAGER)
