"""A rollout's phase and message.

The rules are those of Argo Rollouts' `GetRolloutPhase` and `CalculateRolloutPhase`
(utils/rollout/rolloututil.go), in the same order and with the same sentences, so that Rollgraph
never says other things than the kubectl plugin. One rule is added: see `waits_for_workload`.
"""

from enum import StrEnum
from typing import NamedTuple

from rollgraph.core.integers import integer
from rollgraph.core.objects.rollout import BlueGreenStrategy, Rollout

WORKLOAD_GENERATION_ANNOTATION = "rollout.argoproj.io/workload-generation"
# Reasons of a condition that mean failure whatever the condition's type is.
_FAILURES = frozenset({"RolloutAborted", "ProgressDeadlineExceeded"})
# Analysis phases that end a run.
COMPLETED = frozenset({"Successful", "Failed", "Error", "Inconclusive"})


class Phase(StrEnum):
    """Where a rollout stands. UNKNOWN is a phase that this version of Rollgraph does not know."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


class PhaseMessage(NamedTuple):
    """A phase, and why; the message is "" where there is nothing to say."""

    phase: Phase
    message: str


def phase(rollout: Rollout) -> PhaseMessage:
    """The phase as a reader should see it.

    What the controller says, once it speaks of the present spec.
    """
    if rollout.unreadable:
        return PhaseMessage(
            Phase.UNKNOWN, f"Rollgraph cannot read this rollout: {rollout.unreadable}"
        )
    if not generation_observed(rollout):
        return _progressing("waiting for rollout spec update to be observed")
    if rollout.status.controller_pause and not rollout.status.pause_conditions:
        return _progressing("waiting for rollout to unpause")
    if waits_for_workload(rollout):
        return _progressing(
            "waiting for rollout spec update to be observed for the reference workload"
        )
    if rollout.status.phase:
        return PhaseMessage(_known(rollout.status.phase), rollout.status.message)
    return calculated_phase(rollout)


def calculated_phase(rollout: Rollout) -> PhaseMessage:
    """The phase as the controller computes it.

    Used where it has not written one (before Argo Rollouts 1.0).
    """
    failure = _failure(rollout)
    if failure:
        return PhaseMessage(Phase.DEGRADED, failure)
    spec, status = rollout.spec, rollout.status
    if spec.paused:
        return PhaseMessage(Phase.PAUSED, "manually paused")
    if status.pause_conditions:
        return PhaseMessage(Phase.PAUSED, status.pause_conditions[0].reason)
    if spec.restart_at is not None and spec.restart_at != status.restarted_at:
        return _progressing("rollout is restarting")
    if status.updated_replicas < rollout.desired:
        return _progressing("more replicas need to be updated")
    if status.available_replicas < status.updated_replicas:
        return _progressing("updated replicas are still becoming available")
    unfinished = _unfinished(rollout)
    return _progressing(unfinished) if unfinished else PhaseMessage(Phase.HEALTHY, "")


def _progressing(message: str) -> PhaseMessage:
    return PhaseMessage(Phase.PROGRESSING, message)


def _known(text: str) -> Phase:
    try:
        return Phase(text)
    except ValueError:
        return Phase.UNKNOWN


def generation_observed(rollout: Rollout) -> bool:
    """True once the controller has seen the present spec.

    Before Argo Rollouts 0.10 the field held a hash: anything that is no number, or is a number too
    large to be this object's generation, counts as observed.
    """
    observed = integer(rollout.status.observed_generation)
    return observed is None or observed >= rollout.metadata.generation


def waits_for_workload(rollout: Rollout) -> bool:
    """True while the controller has not seen the present template of the Deployment that
    `workloadRef` names.

    Correction: upstream's clients skip this check, for the flag that it needs
    (`TemplateResolvedFromRef`) exists only inside the controller, and so they show the old phase
    for a moment. Argo CD's health check does it as we do.
    """
    if rollout.spec.workload_ref is None:
        return False
    wanted = integer(rollout.metadata.annotation(WORKLOAD_GENERATION_ANNOTATION))
    observed = integer(rollout.status.workload_observed_generation)
    return wanted is not None and observed is not None and wanted != observed


def _failure(rollout: Rollout) -> str:
    for condition in rollout.status.conditions or ():
        if condition.type == "InvalidSpec":
            return f"InvalidSpec: {condition.message}"
        if condition.reason in _FAILURES:
            return f"{condition.reason}: {condition.message}"
    return ""


def _unfinished(rollout: Rollout) -> str:
    strategy, status = rollout.spec.strategy, rollout.status
    stable = bool(status.stable_rs) and rollout.fully_promoted
    if strategy.blue_green is not None:
        active = status.blue_green.active_selector
        if not active or active != status.current_pod_hash:
            return "active service cutover pending"
        if not stable:
            return _post_promotion(strategy.blue_green, rollout)
    elif strategy.canary is not None:
        # Only a basic canary ends its old pods at once; the others keep them for
        # scaleDownDelaySeconds.
        basic = strategy.canary.traffic_routing is None
        if basic and status.replicas > status.updated_replicas:
            return "old replicas are pending termination"
        if not stable:
            return "waiting for all steps to complete"
    return ""


def _post_promotion(strategy: BlueGreenStrategy, rollout: Rollout) -> str:
    run = rollout.status.blue_green.post_promotion_analysis_run_status
    if strategy.post_promotion_analysis is not None and (
        run is None or run.status not in COMPLETED
    ):
        return "waiting for analysis to complete"
    return "waiting for post-promotion verification to complete"
