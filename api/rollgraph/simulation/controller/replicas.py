"""Scaling ReplicaSets (rollout/replicaset.go, rollout/canary.go, rollout/bluegreen.go)."""

from rollgraph.simulation.controller import persisting
from rollgraph.simulation.controller.facts import REVISION_HISTORY
from rollgraph.simulation.controller.passes import (
    INCONCLUSIVE_PAUSE,
    Pass,
    created,
    newest_first,
)
from rollgraph.simulation.controller.scaling import actual, available, basic_canary, preview, wanted
from rollgraph.simulation.manifests import (
    DESIRED_REPLICAS,
    SCALE_DOWN_DEADLINE,
    Manifest,
    annotations_of,
    hash_of,
    later,
    name_of,
    revision_of,
    stamp,
    status_of,
    with_annotations,
)


def sync_replicas(this: Pass, new: Manifest) -> None:
    """After a change of spec.replicas alone: scales, and leaves all else as it is."""
    status = dict(this.facts.status)
    if this.facts.blue_green is not None:
        blue_green(this, new)
        counted = [rs for rs in this.every if hash_of(rs) == this.facts.active_selector]
    else:
        canary(this, new)
        counted = []
    counted = counted or this.every
    status["availableReplicas"] = sum(map(available, counted))
    status["HPAReplicas"] = sum(map(actual, counted))
    persisting.persist(this, {key: value for key, value in status.items() if value != 0})


def canary(this: Pass, new: Manifest) -> bool:
    """Brings a canary's ReplicaSets nearer to the weight; True if that is not done yet."""
    if this.halted:
        return False
    new, stable = _without_deadlines(this, new, this.stable)
    new_count, stable_count = basic_canary(this.facts, new, stable, this.others)
    apart = stable is not None and name_of(stable) != name_of(new)
    if apart and stable is not None and _scale(this, stable, stable_count):
        return True
    return _scale(this, new, new_count) or _scale_down_old_of_canary(this)


def blue_green(this: Pass, new: Manifest) -> None:
    """Scales the stable and the new ReplicaSet, and old ones that nothing points to any more."""
    new, stable = _without_deadlines(this, new, this.stable)
    if stable is not None:
        _scale(this, stable, this.facts.replicas)
    if stable is None or name_of(stable) != name_of(new):
        _scale_preview(this, new)
    _scale_down_old_of_blue_green(this)
    forget_old(this)


def forget_old(this: Pass) -> None:
    """Deletes the oldest ReplicaSets without pods, and what was found out about them."""
    limit = int(this.facts.spec.get("revisionHistoryLimit", REVISION_HISTORY))
    surplus = max(0, len(this.others) - limit)
    for rs in sorted(this.others, key=created)[:surplus]:
        if actual(rs) or wanted(rs):
            continue
        this.delete(rs)
        for run in this.other_runs:
            if hash_of(run) == hash_of(rs):
                this.delete(run)


def _without_deadlines(
    this: Pass, new: Manifest, stable: Manifest | None
) -> tuple[Manifest, Manifest | None]:
    """Takes the deadlines from ReplicaSets that are needed again."""
    if not _delayed_on_abort(this):
        new = _without_deadline(this, new)
    if stable is not None:
        stable = new if name_of(stable) == name_of(new) else _without_deadline(this, stable)
    return new, stable


def _without_deadline(this: Pass, rs: Manifest) -> Manifest:
    if SCALE_DOWN_DEADLINE not in annotations_of(rs):
        return rs
    rs = with_annotations(rs, {SCALE_DOWN_DEADLINE: None})
    this.write(rs)
    return rs


def _scale(this: Pass, rs: Manifest, count: int) -> bool:
    """True if the number of pods changes."""
    facts, before = this.facts, wanted(rs)
    changes: dict[str, str | None] = {DESIRED_REPLICAS: str(facts.replicas)}
    unchanged = annotations_of(rs).get(DESIRED_REPLICAS) == str(facts.replicas)
    if before == count and unchanged:
        return False
    if count == 0 and not _delayed_on_abort(this):
        changes[SCALE_DOWN_DEADLINE] = None
    scaled = with_annotations(rs, changes)
    this.write({**scaled, "spec": {**scaled["spec"], "replicas": count}})
    if before == count:
        return False
    way = "up" if before < count else "down"
    this.tell(
        "ScalingReplicaSet",
        f"Scaled {way} ReplicaSet {name_of(rs)} (revision {revision_of(rs)})"
        f" from {before} to {count}",
    )
    return True


def _scale_down_old_of_canary(this: Pass) -> bool:
    """Without a router pods of an older template would get traffic: they all go."""
    old = [rs for rs in this.others if wanted(rs) > 0]
    if not old:
        return False
    scaled = False
    left: list[tuple[Manifest, int]] = []
    for rs in sorted(old, key=created):
        # Pods that do not work go first, whatever may be missing.
        count = available(rs)
        if count < wanted(rs):
            scaled = _scale(this, rs, count) or scaled
        left.append((rs, count))
    spare = sum(map(available, this.every)) - (this.facts.replicas - this.facts.max_unavailable)
    for rs, count in left:
        if spare <= 0:
            break
        if count == wanted(rs) > 0:
            fewer = max(0, count - spare)
            scaled = _scale(this, rs, fewer) or scaled
            spare -= count - fewer
    return scaled


def _delayed_on_abort(this: Pass) -> bool:
    """True if new pods stay for some time after an abort (shouldDelayScaleDownOnAbort)."""
    delay = this.facts.abort_scale_down_delay
    blue_green = this.facts.blue_green is not None
    return this.aborted and this.stable is not None and blue_green and delay is not None


def _scale_preview(this: Pass, new: Manifest) -> None:
    count = preview(this.facts, new, this.every)
    if not _delayed_on_abort(this):
        _scale(this, new, count)
        return
    deadline = annotations_of(new).get(SCALE_DOWN_DEADLINE)
    if deadline is None:
        if this.stable is not None and available(this.stable) >= this.facts.replicas:
            _set_deadline(this, new, this.facts.abort_scale_down_delay or 0)
    elif this.time_to_scale_down(new) > 0:
        this.look_again(later(deadline, 0))
    else:
        _scale(this, new, 0)


def _set_deadline(this: Pass, rs: Manifest, seconds: int) -> None:
    when = later(stamp(this.now), seconds)
    this.write(with_annotations(rs, {SCALE_DOWN_DEADLINE: stamp(when)}))
    this.look_again(when)


def _scale_down_old_of_blue_green(this: Pass) -> None:
    if this.facts.pause(INCONCLUSIVE_PAUSE) is not None or _verification_pending(this):
        return
    for rs in newest_first(rs for rs in this.others if wanted(rs) > 0):
        if _referenced(this, rs):
            continue
        deadline = annotations_of(rs).get(SCALE_DOWN_DEADLINE)
        if deadline is not None and this.time_to_scale_down(rs) > 0:
            this.look_again(later(deadline, 0))
            _scale(this, rs, this.facts.replicas)
        elif deadline is None and this.facts.scale_down_delay > 0:
            _set_deadline(this, rs, this.facts.scale_down_delay)
        else:
            _scale(this, rs, 0)


def _verification_pending(this: Pass) -> bool:
    """True while an analysis after the promotion may still ask for the old pods."""
    fields = this.facts.blue_green or {}
    if not fields.get("postPromotionAnalysis") or "scaleDownDelaySeconds" in fields:
        return False
    promoted = this.new is not None and this.facts.active_selector == hash_of(this.new)
    if not promoted or this.facts.fully_promoted:
        return False
    run = this.runs.get("post")
    return run is None or status_of(run).get("phase") != "Successful"


def _referenced(this: Pass, rs: Manifest) -> bool:
    """True if a part of the rollout, or one of its Services, points to these pods."""
    facts = this.facts
    selectors = {
        (service.get("spec") or {}).get("selector", {}).get("rollouts-pod-template-hash")
        for service in this.family.services.values()
    }
    parts = {facts.stable_hash, facts.current_hash, facts.active_selector, facts.preview_selector}
    return hash_of(rs) in parts | selectors
