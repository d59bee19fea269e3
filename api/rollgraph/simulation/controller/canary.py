"""One pass over a canary that splits by pods (rollout/canary.go)."""

from datetime import timedelta

from rollgraph.core.durations import pause_duration
from rollgraph.simulation.controller import analysis, persisting, replicas, restarting
from rollgraph.simulation.controller.passes import CANARY_PAUSE, Pass, pruned
from rollgraph.simulation.controller.scaling import actual, at_desired_counts, available
from rollgraph.simulation.manifests import Manifest, hash_of, later, status_of


def reconcile(this: Pass, new: Manifest) -> None:
    """Decides on pods, analyses and pauses, then on the status."""
    if this.facts.steps_changed or this.facts.pods_changed(new):
        _write_status(this, new)
        return
    if restarting.restart(this):
        return
    replicas.forget_old(this)
    analysis.reconcile(this, new)
    # An analysis that cannot decide stops everything else.
    if not this.add_pauses and not replicas.canary(this, new):
        _pause(this)
    _write_status(this, new)


def _pause(this: Pass) -> None:
    facts, step = this.facts, this.facts.step
    if facts.paused or facts.promote_full or step is None or "pause" not in step:
        return
    held = facts.pause(CANARY_PAUSE)
    if held is None:
        # With controllerPause and without a pause, a person has promoted.
        if not facts.controller_pause:
            this.add_pauses.append(CANARY_PAUSE)
    elif (length := _length(step)) is not None:
        end = later(held["startTime"], length.total_seconds())
        if end > this.now:
            this.look_again(end)


def _length(step: Manifest) -> timedelta | None:
    duration = (step["pause"] or {}).get("duration")
    return None if duration is None else pause_duration(duration)


def _write_status(this: Pass, new: Manifest) -> None:
    facts = this.facts
    status = persisting.base_status(this, new)
    status["stableRS"] = facts.stable_hash
    status |= pruned(
        availableReplicas=sum(map(available, this.every)),
        HPAReplicas=sum(map(actual, this.every)),
        selector=_selector(facts.spec.get("selector") or {}),
        currentStepHash=facts.step_hash,
    )
    if not facts.stable_hash:
        del status["stableRS"]
    _step(this, new, status)
    persisting.persist(this, status)


def _step(this: Pass, new: Manifest, status: Manifest) -> None:
    """Decides which step comes next (syncRolloutStatusCanary)."""
    facts, count = this.facts, len(this.facts.steps)
    if facts.steps_changed or facts.pods_changed(new):
        persisting.reset(this, status)
        if count and facts.stable_hash == hash_of(new):
            this.tell("SkipSteps", "Rollback to stable ReplicaSets")
            status["currentStepIndex"] = count
        return
    index = facts.step_index
    if facts.promote_full:
        this.clear_pauses = this.remove_abort = True
        index = count if count else index
    if reason := _promotion(this, new):
        persisting.promote(this, status, reason)
        return
    if this.aborted:
        if count:
            promoted = status.get("stableRS") == status["currentPodHash"]
            status["currentStepIndex"] = count if promoted else 0
        return
    if index is not None and index < count and _step_done(this, new):
        index += 1
        status["canary"].pop("currentStepAnalysisRunStatus", None)
        this.remove_pauses.add(CANARY_PAUSE)
        this.tell(
            "RolloutStepCompleted",
            f"Rollout step {index}/{count} completed ({_words(facts.steps[index - 1])})",
        )
    if index is not None:
        status["currentStepIndex"] = index


def _promotion(this: Pass, new: Manifest) -> str:
    """Why the new template is the stable one from now on; "" while it is not."""
    facts = this.facts
    if this.stable is None:
        return "Initial deploy"
    if this.aborted or available(new) < facts.replicas:
        return ""
    if facts.promote_full:
        return "Full promotion requested"
    if this.fast_rollback:
        return "Fast rollback"
    if not facts.steps or facts.step_index == len(facts.steps):
        return f"Completed all {len(facts.steps)} canary steps"
    return ""


def _step_done(this: Pass, new: Manifest) -> bool:
    facts, step = this.facts, this.facts.step
    if facts.paused or step is None:
        return False
    if "pause" in step:
        return _pause_done(this, step)
    if "setWeight" in step or "setCanaryScale" in step:
        return at_desired_counts(facts, new, this.stable, this.others)
    if "analysis" in step:
        run = this.runs.get("step")
        return run is not None and status_of(run).get("phase") == "Successful"
    # Routes of headers and mirrors need a router, and are done at once without one.
    return "setHeaderRoute" in step or "setMirrorRoute" in step


def _pause_done(this: Pass, step: Manifest) -> bool:
    held = this.facts.pause(CANARY_PAUSE)
    if held is None:
        return this.facts.controller_pause
    length = _length(step)
    return length is not None and later(held["startTime"], length.total_seconds()) <= this.now


def _words(step: Manifest) -> str:
    """A step as its event names it (CanaryStepString)."""
    if "setWeight" in step:
        return f"setWeight: {step['setWeight']}"
    if "pause" in step:
        duration = (step["pause"] or {}).get("duration")
        return "pause" if duration is None else f"pause: {duration}"
    if "setCanaryScale" in step:
        scale = step["setCanaryScale"]
        for key in ("weight", "replicas"):
            if key in scale:
                return f"setCanaryScale{{{key}: {scale[key]}}}"
        return "setCanaryScale{matchTrafficWeight: true}"
    return "analysis" if "analysis" in step else next(iter(step), "invalid")


def _selector(selector: Manifest) -> str:
    labels = selector.get("matchLabels") or {}
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))
