"""What is to be done about a rollout now (rollout/controller.go, context.go and sync.go)."""

from datetime import datetime

from rollgraph.simulation.controller import bluegreen, canary, conditions, validation
from rollgraph.simulation.controller.passes import Family, Outcome, Pass
from rollgraph.simulation.controller.replicas import sync_replicas
from rollgraph.simulation.manifests import (
    DESIRED_REPLICAS,
    HASH_LABEL,
    REVISION,
    Manifest,
    annotations_of,
    labels_of,
    owner,
    revision_of,
    status_of,
    with_annotations,
)

# Annotations of a rollout that its ReplicaSets do not take over.
_OWN = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "rollout.argoproj.io/revision-history",
    "rollout.argoproj.io/workload-generation",
)


def reconcile(family: Family, now: datetime) -> Outcome:
    """One pass: what to write, and when to look again.

    Whoever calls it writes, and calls again until nothing is to be written: as in a cluster, each
    pass does a little and the next one sees what came of it.
    """
    this = Pass(family, now)
    if problem := validation.problem(this.facts, family):
        _refuse(this, problem)
    elif this.new is None:
        _create_replica_set(this)
    elif not _revised(this, this.new) and not _conditions_of_pauses(this):
        _proceed(this, this.new)
    return this.outcome


def _proceed(this: Pass, new: Manifest) -> None:
    if _scaled_by_user(this):
        sync_replicas(this, new)
    elif this.facts.blue_green is not None:
        bluegreen.reconcile(this, new)
    else:
        canary.reconcile(this, new)


def _refuse(this: Pass, problem: str) -> None:
    """Says that the spec is invalid, and looks again: a Service may come later."""
    message = f'The Rollout "{this.facts.name}" is invalid: {problem}'
    now, status = this.now, dict(this.facts.status)
    held = list(status.get("conditions") or ())
    before = conditions.find(held, conditions.INVALID)
    if before is None or before["message"] != message:
        conditions.remove(held, conditions.INVALID)
        conditions.put(
            held,
            conditions.condition(conditions.INVALID, "True", conditions.INVALID, message, now),
        )
    write_status(this, {**status, "conditions": held})


def _create_replica_set(this: Pass) -> None:
    facts, rollout = this.facts, this.family.rollout
    template_hash = facts.template_hash
    template = facts.spec["template"]
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {}), HASH_LABEL: template_hash}
    selector = facts.spec.get("selector") or {}
    name, revision = f"{facts.name}-{template_hash}", _next_revision(this)
    annotations = {
        **_inherited(rollout),
        DESIRED_REPLICAS: str(facts.replicas),
        REVISION: str(revision),
    }
    this.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": facts.meta["namespace"],
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [owner(rollout)],
            },
            "spec": {
                "replicas": 0,
                "selector": {
                    **selector,
                    "matchLabels": {
                        **(selector.get("matchLabels") or {}),
                        HASH_LABEL: template_hash,
                    },
                },
                "template": {**template, "metadata": {**meta, "labels": labels}},
            },
        }
    )
    held = list(facts.status.get("conditions") or ())
    said = f'Created new replica set "{name}"'
    conditions.put(
        held,
        conditions.condition("Progressing", "True", "NewReplicaSetCreated", said, this.now),
    )
    revised = with_annotations(rollout, {REVISION: str(revision)})
    this.write({**revised, "status": {**facts.status, "conditions": held}})
    this.tell("RolloutUpdated", f"Rollout updated to revision {revision}")
    this.tell("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {revision})")


def _next_revision(this: Pass) -> int:
    return max((revision_of(rs) for rs in this.every if rs is not this.new), default=0) + 1


def _inherited(rollout: Manifest) -> dict[str, str]:
    return {key: text for key, text in annotations_of(rollout).items() if key not in _OWN}


def _revised(this: Pass, new: Manifest) -> bool:
    """Gives a ReplicaSet that is needed again the next revision, and the rollout the same one."""
    revision, before = _next_revision(this), revision_of(new)
    changes: dict[str, str | None] = {
        key: text
        for key, text in _inherited(this.family.rollout).items()
        if annotations_of(new).get(key) != text
    }
    if before < revision:
        changes[REVISION] = str(revision)
        history = annotations_of(new).get("rollout.argoproj.io/revision-history", "")
        changes["rollout.argoproj.io/revision-history"] = ",".join(
            filter(None, [history, str(before)])
        )
    if changes:
        this.write(with_annotations(new, changes))
        return True
    current = annotations_of(new)[REVISION]
    if annotations_of(this.family.rollout).get(REVISION) != current:
        this.write(with_annotations(this.family.rollout, {REVISION: current}))
        this.tell("RolloutUpdated", f"Rollout updated to revision {current}")
        return True
    return False


def _conditions_of_pauses(this: Pass) -> bool:
    """Notes in the conditions that a pause began or ended (checkPausedConditions).

    So the time of a pause does not count as lack of progress.
    """
    facts, now = this.facts, this.now
    held = list(facts.status.get("conditions") or ())
    progressing = conditions.find(held, "Progressing")
    reason = progressing["reason"] if progressing is not None else ""
    is_paused, was_aborted = bool(facts.pauses) or facts.paused, reason == conditions.ABORTED
    news: list[Manifest] = []

    def note(type_: str, status: str, reason: str, message: str) -> None:
        news.append(conditions.condition(type_, status, reason, message, now))

    noted = reason == conditions.PAUSED
    if is_paused != noted and not was_aborted and not conditions.completed(facts.status):
        if is_paused:
            note("Progressing", "Unknown", conditions.PAUSED, "Rollout is paused")
        else:
            note("Progressing", "Unknown", "RolloutResumed", "Rollout is resumed")
    if was_aborted and not facts.aborted:
        note("Progressing", "Unknown", "RolloutRetry", "Retrying Rollout after abort")
    paused = conditions.find(held, "Paused")
    said_paused = paused is not None and paused["status"] == "True"
    if is_paused != said_paused and not was_aborted:
        note("Paused", str(is_paused), conditions.PAUSED, "Rollout is paused")
    for item in news:
        conditions.put(held, item)
    return bool(news) and write_status(this, {**facts.status, "conditions": held})


def write_status(this: Pass, status: Manifest) -> bool:
    """Writes a status with the phase that it means; False if it is the present one."""
    facts = this.facts
    status = {**status, "observedGeneration": str(facts.meta["generation"])}
    phase, message = conditions.phase(facts, status)
    status = {**status, "phase": phase, "message": message}
    if not message:
        del status["message"]
    if status == status_of(this.family.rollout):
        return False
    this.write({**this.family.rollout, "status": status})
    return True


def _scaled_by_user(this: Pass) -> bool:
    """True if the number of replicas has changed since the pods were last counted out."""
    return any(
        annotations_of(rs).get(DESIRED_REPLICAS, str(this.facts.replicas))
        != str(this.facts.replicas)
        for rs in (this.new, this.stable)
        if rs is not None and rs["spec"]["replicas"] > 0 and labels_of(rs)
    )
