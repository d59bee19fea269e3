"""What a rollout waits for, since when, until when, and whether a person must act.

Everything here is derived from the objects, so it holds after a restart too. Times are absolute: no
clock is needed, and a view does not change by the mere passing of time.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from rollgraph.core.analysis import AnalysisRunView, ExperimentView
from rollgraph.core.durations import after, go_duration, seconds_after
from rollgraph.core.earliest import earliest_end
from rollgraph.core.objects.rollout import AnalysisRunStatus, PauseCondition, Rollout
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import COMPLETED, Phase, PhaseMessage
from rollgraph.core.steps import (
    AnalysisStep,
    AnyStep,
    ExperimentStep,
    PauseStep,
    PluginStep,
    SetWeightStep,
    StepState,
)

# Argo Rollouts' own default of progressDeadlineSeconds, and the reasons of a Progressing condition
# from which it does not count.
_PROGRESS_DEADLINE = 600
_CLOCK_STOPPED = frozenset({"RolloutAborted", "RolloutPaused"})
_INCONCLUSIVE: dict[str, str] = {
    PauseReason.INCONCLUSIVE_ANALYSIS_RUN: "analysis",
    PauseReason.INCONCLUSIVE_EXPERIMENT: "experiment",
}


class WaitReason(StrEnum):
    """What has to happen next.

    CONTROLLER: the controller has not acted on the newest spec or status. PAUSE: a timed pause.
    PROMOTION: a person, or an API call, has to promote. JUDGEMENT: an analysis was inconclusive, a
    person has to decide. UNPAUSE: someone set `spec.paused`. RETRY: the update was aborted; retry
    it or change the template. FIX: the spec is invalid or the update ran out of time.
    POSTPONED_RESTART: a restart was planned for later when the rollout was last written.
    """

    CONTROLLER = "CONTROLLER"
    PAUSE = "PAUSE"
    PROMOTION = "PROMOTION"
    JUDGEMENT = "JUDGEMENT"
    UNPAUSE = "UNPAUSE"
    ANALYSIS = "ANALYSIS"
    EXPERIMENT = "EXPERIMENT"
    PLUGIN = "PLUGIN"
    TRAFFIC = "TRAFFIC"
    PODS = "PODS"
    RESTART = "RESTART"
    POSTPONED_RESTART = "POSTPONED_RESTART"
    RETRY = "RETRY"
    FIX = "FIX"


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """What a rollout waits for.

    Attributes:
        message: A sentence for a person.
        human: True if nothing happens until a person (or their script) acts.
        since: When the wait began, where the objects tell.
        until: When it ends, or the earliest time that it can.
        exact: True if `until` is when it ends; False if that is only the earliest time.
        deadline: When the controller gives up (`progressDeadlineSeconds`).
    """

    reason: WaitReason
    message: str
    human: bool = False
    since: datetime | None = None
    until: datetime | None = None
    exact: bool = True
    deadline: datetime | None = None


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """What `waiting` looks at."""

    rollout: Rollout
    phase: PhaseMessage
    step: AnyStep | None
    analysis_runs: tuple[AnalysisRunView, ...]
    experiments: tuple[ExperimentView, ...]


def waiting(at: Circumstances) -> Waiting | None:
    """What the rollout waits for; None when it is done and healthy, or cannot be read."""
    rollout, (phase, message) = at.rollout, at.phase
    if rollout.unreadable:
        return None
    if phase is Phase.DEGRADED:
        return _failed(rollout, message)
    if rollout.spec.paused:
        return Waiting(WaitReason.UNPAUSE, "paused by spec.paused: resume it", human=True)
    if rollout.status.abort:
        # An aborted rollout is Degraded, once the controller has acted on the abort.
        return Waiting(WaitReason.CONTROLLER, "the abort is about to begin")
    if phase is Phase.PAUSED:
        return _paused(at)
    return _progressing(at) if phase is Phase.PROGRESSING else None


def _failed(rollout: Rollout, message: str) -> Waiting:
    if rollout.status.abort:
        since = rollout.status.aborted_at
        return Waiting(
            WaitReason.RETRY,
            "aborted: retry the update, or change the template",
            human=True,
            since=since,
        )
    if message.startswith("RolloutAborted"):
        # The phase is the controller's; it outlives the abort until the controller acts again.
        return Waiting(WaitReason.CONTROLLER, "the retry is about to begin")
    return Waiting(WaitReason.FIX, message or "degraded", human=True)


def _paused(at: Circumstances) -> Waiting:
    conditions = at.rollout.status.pause_conditions or [PauseCondition()]
    for condition in conditions:
        # Even a timed pause that is over goes on until a person has judged.
        if condition.reason in _INCONCLUSIVE:
            return Waiting(
                WaitReason.JUDGEMENT,
                f"the {_INCONCLUSIVE[condition.reason]} was inconclusive: promote or abort",
                human=True,
                since=condition.start_time,
            )
    since = conditions[0].start_time
    if conditions[0].reason == PauseReason.BLUE_GREEN_PAUSE:
        return _blue_green_pause(at.rollout, since)
    if isinstance(at.step, PauseStep) and not at.step.indefinite:
        return Waiting(
            WaitReason.PAUSE, f"paused for {at.step.duration}", since=since, until=at.step.ends_at
        )
    return Waiting(WaitReason.PROMOTION, "paused until promoted", human=True, since=since)


def _blue_green_pause(rollout: Rollout, since: datetime | None) -> Waiting:
    strategy = rollout.spec.strategy.blue_green
    # With `autoPromotionEnabled` off, the controller ignores `autoPromotionSeconds`.
    if strategy is None or strategy.auto_promotion_enabled is False:
        return Waiting(
            WaitReason.PROMOTION, "the preview waits to be promoted", human=True, since=since
        )
    seconds = strategy.auto_promotion_seconds
    return Waiting(
        WaitReason.PAUSE,
        f"promotes itself after {seconds} s",
        since=since,
        until=seconds_after(since, seconds),
    )


def _progressing(at: Circumstances) -> Waiting:
    message = at.phase.message
    if message.startswith(("waiting for rollout spec", "waiting for rollout to unpause")):
        return Waiting(WaitReason.CONTROLLER, message)
    run = _running_analysis(at)
    if run is not None:
        return _analysis(at, run.name)
    if message == "rollout is restarting":
        return _restart(at.rollout)
    return _step(at) or Waiting(
        WaitReason.PODS, message or "pods are changing", deadline=_deadline(at.rollout)
    )


def _step(at: Circumstances) -> Waiting | None:
    step, rollout = at.step, at.rollout
    if step is None or step.state is not StepState.CURRENT:
        return None  # skipped by a full promotion
    if isinstance(step, AnalysisStep):
        return Waiting(WaitReason.ANALYSIS, "the analysis is about to begin")
    if isinstance(step, ExperimentStep):
        running = (e for e in at.experiments if e.experiment.metadata.name == step.experiment)
        return _experiment(next(running, None))
    if isinstance(step, PluginStep):
        return Waiting(WaitReason.PLUGIN, f"plugin {step.plugin}", since=step.started_at)
    if isinstance(step, SetWeightStep):
        weights = rollout.status.canary.weights
        if weights is not None and weights.verified is False:
            return Waiting(
                WaitReason.TRAFFIC,
                "the traffic router has not confirmed the weights",
                deadline=_deadline(rollout),
            )
    if isinstance(step, PauseStep):
        return Waiting(WaitReason.CONTROLLER, "the pause is about to begin")
    return None


def _running_analysis(at: Circumstances) -> AnalysisRunStatus | None:
    """The rollout's copy of the run that holds it.

    The step's or a blue-green's own, never the one in the background.
    """
    blue_green, canary = at.rollout.status.blue_green, at.rollout.status.canary
    held = [
        blue_green.post_promotion_analysis_run_status,
        blue_green.pre_promotion_analysis_run_status,
    ]
    if isinstance(at.step, AnalysisStep) and at.step.state is StepState.CURRENT:
        held.append(canary.current_step_analysis_run_status)
    return next((copy for copy in held if copy and copy.status not in COMPLETED), None)


def _analysis(at: Circumstances, name: str) -> Waiting:
    run = next((r.run for r in at.analysis_runs if r.run.metadata.name == name), None)
    return Waiting(
        WaitReason.ANALYSIS,
        f"analysis {name}",
        since=run.status.started_at if run else None,
        until=earliest_end(run) if run else None,
        exact=False,
    )


def _experiment(view: ExperimentView | None) -> Waiting:
    if view is None:
        return Waiting(WaitReason.EXPERIMENT, "the experiment is about to begin")
    experiment = view.experiment
    return Waiting(
        WaitReason.EXPERIMENT,
        f"experiment {experiment.metadata.name}",
        since=experiment.metadata.creation_timestamp,
        # The duration counts from the moment that all of its templates are available.
        until=after(experiment.status.available_at, go_duration(experiment.spec.duration)),
        exact=False,
    )


def _restart(rollout: Rollout) -> Waiting:
    """A restart under way, or one for later: the phase does not tell them apart.

    While pods are restarted the controller writes the status time and again, so a time beyond the
    latest write has not come yet.
    """
    at, written = rollout.spec.restart_at, rollout.metadata.written_at
    if at is not None and written is not None and at > written:
        return Waiting(WaitReason.POSTPONED_RESTART, "a restart is planned", until=at)
    return Waiting(WaitReason.RESTART, "pods are being restarted", since=at)


def _deadline(rollout: Rollout) -> datetime | None:
    """When the controller gives up on the update.

    Its clock starts anew at each sign of progress.
    """
    seconds = rollout.spec.progress_deadline_seconds
    limit = _PROGRESS_DEADLINE if seconds is None else seconds
    for condition in rollout.status.conditions or ():
        if condition.type == "Progressing" and condition.reason not in _CLOCK_STOPPED:
            return seconds_after(condition.last_update_time, limit)
    return None
