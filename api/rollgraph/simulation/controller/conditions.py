"""A rollout's conditions and phase (utils/conditions, utils/rollout/rolloututil.go)."""

from collections.abc import Sequence
from datetime import datetime

from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.manifests import Manifest, later, stamp

ABORTED = "RolloutAborted"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "RolloutPaused"
INVALID = "InvalidSpec"
NOT_AVAILABLE = "Rollout does not have minimum availability"


def condition(type_: str, status: str, reason: str, message: str, now: datetime) -> Manifest:
    """A condition that begins now."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": stamp(now),
    }


def find(conditions: Sequence[Manifest], type_: str) -> Manifest | None:
    """The condition of a type."""
    return next((item for item in conditions if item["type"] == type_), None)


def put(conditions: list[Manifest], new: Manifest) -> bool:
    """Takes a condition in, at the end of the list; False if it says nothing new.

    A message alone is nothing new. The time of the transition stays if the status does.
    """
    before = find(conditions, new["type"])
    if before is not None and before["status"] == new["status"]:
        if before["reason"] == new["reason"]:
            return False
        new = {**new, "lastTransitionTime": before["lastTransitionTime"]}
    remove(conditions, new["type"])
    conditions.append(new)
    return True


def remove(conditions: list[Manifest], type_: str) -> None:
    """Takes a condition out."""
    conditions[:] = [item for item in conditions if item["type"] != type_]


def progressed(facts: Facts, new: Manifest) -> bool:
    """True if pods came or went, or a step was done, from the present status to the new one."""
    old = facts.status
    count, before = new.get, old.get
    if facts.blue_green is not None:
        mine, was = new.get("blueGreen") or {}, old.get("blueGreen") or {}
        moved = any(mine.get(k) != was.get(k) for k in ("activeSelector", "previewSelector"))
    else:
        index, index_before = new.get("currentStepIndex"), old.get("currentStepIndex")
        stepped = None not in (index, index_before) and index != index_before
        stable = new.get("stableRS", "") != old.get("stableRS", "")
        hashed = new.get("currentStepHash", "") != old.get("currentStepHash", "")
        moved = stepped or stable or hashed
    old_pods = before("replicas", 0) - before("updatedReplicas", 0)
    old_pods_now = count("replicas", 0) - count("updatedReplicas", 0)
    return bool(
        moved
        or count("updatedReplicas", 0) != before("updatedReplicas", 0)
        or old_pods_now < old_pods
        or count("readyReplicas", 0) > before("readyReplicas", 0)
        or count("availableReplicas", 0) > before("availableReplicas", 0)
    )


def healthy(facts: Facts, new: Manifest) -> bool:
    """True if the new template has all pods and all traffic."""
    promoted = completed(new)
    if facts.blue_green is not None:
        mine, current = new.get("blueGreen") or {}, new.get("currentPodHash")
        done = mine.get("activeSelector") == current
        if facts.blue_green.get("previewService"):
            done = done and mine.get("previewSelector") == current
    else:
        index = new.get("currentStepIndex")
        all_steps = not facts.steps or index is None or index == len(facts.steps)
        done = all_steps and promoted and new.get("replicas", 0) == facts.replicas
    return (
        done
        and new.get("updatedReplicas", 0) == facts.replicas
        and new.get("availableReplicas", 0) == facts.replicas
        and facts.status.get("observedGeneration") == str(facts.meta["generation"])
    )


def completed(new: Manifest) -> bool:
    """True if the newest template is the stable one."""
    return bool(new.get("stableRS")) and new.get("stableRS") == new.get("currentPodHash")


def timed_out(facts: Facts, conditions: Sequence[Manifest], now: datetime) -> bool:
    """True if nothing has progressed for longer than the deadline."""
    progressing = find(conditions, "Progressing")
    if progressing is None or progressing["reason"] in (ABORTED, PAUSED):
        return False
    if progressing["reason"] == TIMED_OUT:
        return True
    return later(progressing["lastUpdateTime"], facts.progress_deadline) < now


def phase(facts: Facts, status: Manifest) -> tuple[str, str]:
    """The phase and message that a status means."""
    for item in status.get("conditions") or ():
        if item["type"] == INVALID:
            return "Degraded", f"{INVALID}: {item['message']}"
        if item["reason"] in (ABORTED, TIMED_OUT):
            return "Degraded", f"{item['reason']}: {item['message']}"
    if facts.paused:
        return "Paused", "manually paused"
    if status.get("pauseConditions"):
        return "Paused", str(status["pauseConditions"][0]["reason"])
    if facts.spec.get("restartAt") and facts.spec["restartAt"] != status.get("restartedAt"):
        return "Progressing", "rollout is restarting"
    unfinished = _unfinished(facts, status)
    return ("Progressing", unfinished) if unfinished else ("Healthy", "")


def _unfinished(facts: Facts, status: Manifest) -> str:
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < facts.replicas:
        return "more replicas need to be updated"
    if available < updated:
        return "updated replicas are still becoming available"
    if facts.blue_green is not None:
        mine = status.get("blueGreen") or {}
        active = mine.get("activeSelector")
        if not active or active != status.get("currentPodHash"):
            return "active service cutover pending"
        if not completed(status):
            run = mine.get("postPromotionAnalysisRunStatus") or {}
            if facts.blue_green.get("postPromotionAnalysis") and not finished(run.get("status")):
                return "waiting for analysis to complete"
            return "waiting for post-promotion verification to complete"
        return ""
    if status.get("replicas", 0) > updated:
        return "old replicas are pending termination"
    return "" if completed(status) else "waiting for all steps to complete"


def finished(run_phase: str | None) -> bool:
    """True for the phase of an analysis that will not change any more."""
    return run_phase in ("Successful", "Failed", "Error", "Inconclusive")
