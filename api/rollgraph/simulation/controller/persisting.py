"""The next status of a rollout, with its conditions and phase (rollout/sync.go)."""

from datetime import timedelta

from rollgraph.simulation.controller import conditions
from rollgraph.simulation.controller.passes import INCONCLUSIVE_PAUSE, Pass, pruned
from rollgraph.simulation.controller.scaling import actual, available, by_hash, ready, wanted
from rollgraph.simulation.manifests import (
    DESIRED_REPLICAS,
    SCALE_DOWN_DEADLINE,
    Manifest,
    annotations_of,
    hash_of,
    later,
    name_of,
    revision_of,
    status_of,
)

_PAUSE_FIELDS = ("abort", "abortedAt", "pauseConditions", "controllerPause")


def base_status(this: Pass, new: Manifest) -> Manifest:
    """The part of a status that both strategies have (calculateBaseStatus)."""
    facts, current = this.facts, hash_of(new)
    held = [
        item for item in facts.status.get("conditions") or () if item["type"] != conditions.INVALID
    ]
    return {
        "currentPodHash": current,
        **pruned(
            stableRS=facts.stable_hash,
            replicas=sum(map(actual, this.every)),
            updatedReplicas=actual(new),
            readyReplicas=sum(map(ready, this.every)),
            restartedAt=this.restarted_at,
            # Compared with no stable template at all, as upstream does: reset by the promotion.
            promoteFull=facts.promote_full,
        ),
        "conditions": held,
        "canary": this.canary_status,
        "blueGreen": this.blue_green_status,
    }


def reset(this: Pass, status: Manifest) -> None:
    """Begins a new update (resetRolloutStatus)."""
    this.clear_pauses = this.remove_abort = True
    this.restarted_at = this.facts.spec.get("restartAt")
    status |= pruned(restartedAt=this.restarted_at)
    status.pop("promoteFull", None)
    status |= {"canary": {}, "blueGreen": {}}
    if this.facts.steps:
        status["currentStepIndex"] = 0


def promote(this: Pass, status: Manifest, reason: str) -> None:
    """Makes the new template the stable one (promoteStable)."""
    this.clear_pauses = this.remove_abort = True
    status.pop("promoteFull", None)
    status["blueGreen"].pop("scaleUpPreviewCheckPoint", None)
    status.pop("currentStepIndex", None)
    if this.facts.steps:
        status["currentStepIndex"] = len(this.facts.steps)
    if status.get("stableRS") != status["currentPodHash"]:
        status["stableRS"] = status["currentPodHash"]
        revision = revision_of(this.family.rollout)
        this.tell(
            "RolloutCompleted",
            f"Rollout completed update to revision {revision}"
            f" ({status['currentPodHash']}): {reason}",
        )


def persist(this: Pass, status: Manifest) -> None:
    """Completes a status and writes it if it is another one (persistRolloutStatus)."""
    status = {key: value for key, value in status.items() if key not in _PAUSE_FIELDS}
    status = {**status, "observedGeneration": str(this.facts.meta["generation"])}
    workload = annotations_of(this.family.rollout).get("rollout.argoproj.io/workload-generation")
    if workload is not None:
        status["workloadObservedGeneration"] = workload
    _abort_by_deadline(this, status)
    status |= this.pause_fields()
    status["conditions"] = _conditions(this, status)
    phase, message = conditions.phase(this.facts, status)
    status |= {"phase": phase, **pruned(message=message)}
    if not message:
        status.pop("message", None)
    before = status_of(this.family.rollout)
    if status == before:
        _look_for_lack_of_progress(this, status)
        return
    this.write({**this.family.rollout, "status": status})
    _tell_of_pauses(this, status)


def _abort_by_deadline(this: Pass, status: Manifest) -> None:
    if not this.facts.spec.get("progressDeadlineAbort") or this.aborted:
        return
    if conditions.completed(status) or conditions.progressed(this.facts, status):
        return
    held = this.facts.status.get("conditions") or ()
    if not _may_take_long(this) and conditions.timed_out(this.facts, held, this.now):
        message = _timed_out(this)
        this.abort(message)
        this.tell(conditions.ABORTED, message, warning=True)


def _timed_out(this: Pass) -> str:
    assert this.new is not None
    return f'ReplicaSet "{name_of(this.new)}" has timed out progressing.'


def _may_take_long(this: Pass) -> bool:
    """True at a pause, an analysis or a scale-down delay: lack of progress means nothing then."""
    step = this.facts.step or {}
    paused = conditions.find(this.facts.status.get("conditions") or (), "Paused")
    return (
        "pause" in step
        or "analysis" in step
        or (paused is not None and paused["status"] == "True")
        or any(SCALE_DOWN_DEADLINE in annotations_of(rs) for rs in this.others)
    )


def _conditions(this: Pass, status: Manifest) -> list[Manifest]:
    """The conditions that a status means (calculateRolloutConditions)."""
    held = list(status["conditions"])
    became_unhealthy = _put_healthy(this, status, held)
    if this.aborted:
        _put_aborted(this, held)
    else:
        _put_progressing(this, status, held, became_unhealthy)
    _put_available(this, status, held)
    _put_completed(this, status, held)
    return held


def _put(this: Pass, held: list[Manifest], type_: str, status: bool, why: str, text: str) -> bool:
    return conditions.put(held, conditions.condition(type_, str(status), why, text, this.now))


def _put_healthy(this: Pass, status: Manifest, held: list[Manifest]) -> bool:
    """True if it was healthy until now."""
    paused = bool(status.get("pauseConditions")) or this.facts.paused
    if not paused and conditions.healthy(this.facts, status):
        _put(this, held, "Healthy", True, "RolloutHealthy", "Rollout is healthy")
    elif conditions.find(held, "Healthy") is not None:
        return _put(this, held, "Healthy", False, "RolloutHealthy", "Rollout is not healthy")
    return False


def _put_aborted(this: Pass, held: list[Manifest]) -> None:
    message = f"Rollout aborted update to revision {revision_of(this.family.rollout)}"
    if this.abort_message:
        message = f"{message}: {this.abort_message}"
    if _put(this, held, "Progressing", False, conditions.ABORTED, message):
        this.tell(conditions.ABORTED, message, warning=True)


def _put_progressing(
    this: Pass, status: Manifest, held: list[Manifest], became_unhealthy: bool
) -> None:
    assert this.new is not None
    name = name_of(this.new)
    if conditions.healthy(this.facts, status):
        said = f'ReplicaSet "{name}" has successfully progressed.'
        _put(this, held, "Progressing", True, "NewReplicaSetAvailable", said)
    elif conditions.progressed(this.facts, status) or became_unhealthy:
        reason, said = "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'
        if became_unhealthy and conditions.completed(status):
            reason, said = "ReplicaSetNotAvailable", conditions.NOT_AVAILABLE
        new = conditions.condition("Progressing", "True", reason, said, this.now)
        before = conditions.find(this.facts.status.get("conditions") or (), "Progressing")
        if before is not None and before["status"] == "True":
            new["lastTransitionTime"] = before["lastTransitionTime"]
        # Renewed even if it says the same: its time is that of the last progress.
        conditions.remove(held, "Progressing")
        held.append(new)
    elif not _may_take_long(this) and conditions.timed_out(this.facts, held, this.now):
        _put(this, held, "Progressing", False, conditions.TIMED_OUT, _timed_out(this))


def _put_available(this: Pass, status: Manifest, held: list[Manifest]) -> None:
    replicas = this.facts.replicas
    if this.facts.blue_green is not None:
        active = by_hash(this.every, status["blueGreen"].get("activeSelector", ""))
        enough = active is not None and saturated(this, active)
    else:
        enough = sum(map(available, this.every)) >= replicas
    said = "Rollout has minimum availability" if enough else conditions.NOT_AVAILABLE
    _put(this, held, "Available", enough, "AvailableReason", said)


def _put_completed(this: Pass, status: Manifest, held: list[Manifest]) -> None:
    done = conditions.completed(status)
    changed = _put(this, held, "Completed", done, "RolloutCompleted", "RolloutCompleted")
    if changed and not done:
        revision = revision_of(this.family.rollout)
        this.tell(
            "RolloutNotCompleted",
            f"Rollout not completed, started update to revision {revision}"
            f" ({status['currentPodHash']})",
        )


def saturated(this: Pass, rs: Manifest) -> bool:
    """True if a ReplicaSet has all pods that the rollout asks for (annotations.IsSaturated)."""
    replicas = this.facts.replicas
    noted = annotations_of(rs).get(DESIRED_REPLICAS) == str(replicas)
    return noted and wanted(rs) == replicas == available(rs)


def _tell_of_pauses(this: Pass, status: Manifest) -> None:
    pauses = status.get("pauseConditions")
    if bool(pauses) == bool(this.facts.pauses):
        return
    if pauses:
        this.tell(conditions.PAUSED, f"Rollout is paused ({pauses[0]['reason']})")
    elif "abortedAt" not in status:
        this.tell("RolloutResumed", "Rollout is resumed")


def _look_for_lack_of_progress(this: Pass, status: Manifest) -> None:
    """Comes back when the deadline passes (requeueStuckRollout)."""
    progressing = conditions.find(this.facts.status.get("conditions") or (), "Progressing")
    if progressing is None or progressing["reason"] == conditions.TIMED_OUT:
        return
    held = bool(this.facts.pauses) or this.facts.paused or this.facts.aborted
    if held or conditions.healthy(this.facts, status) or _may_take_long(this):
        return
    deadline = later(progressing["lastUpdateTime"], this.facts.progress_deadline)
    if deadline > this.now or this.facts.pause(INCONCLUSIVE_PAUSE) is None:
        # A second more: the times in conditions are whole seconds.
        this.look_again(max(deadline, this.now) + timedelta(seconds=1))
