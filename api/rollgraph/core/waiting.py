"""What a rollout waits for, since when, until when, and whether a person must act.

Everything here is derived from the objects, so it holds after a restart too. Times are absolute: no
clock is needed, and a view does not change by the mere passing of time.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from rollgraph.core.analysis import AnalysisRunKind, AnalysisRunView, ExperimentView
from rollgraph.core.durations import go_duration
from rollgraph.core.objects.analysis import AnalysisRun, Metric, MetricResult
from rollgraph.core.objects.rollout import PauseCondition, Rollout
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import COMPLETED, Phase, PhaseMessage
from rollgraph.core.steps import (
    AnalysisStep,
    AnyStep,
    ExperimentStep,
    PauseStep,
    PluginStep,
    SetWeightStep,
)

# Argo Rollouts' own default of progressDeadlineSeconds.
_PROGRESS_DEADLINE = 600


class WaitReason(StrEnum):
    """What has to happen next.

    CONTROLLER: the controller has not seen the newest spec or status. PAUSE: a timed pause.
    PROMOTION: a person, or an API call, has to promote. JUDGEMENT: an analysis was inconclusive, a
    person has to decide. UNPAUSE: someone set `spec.paused`. RETRY: the update was aborted; retry
    it or change the template. FIX: the spec is invalid or the update ran out of time.
    POSTPONED_RESTART: a restart is planned for later.
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
    if phase is Phase.PAUSED:
        return _paused(at)
    if phase is Phase.PROGRESSING:
        return _progressing(at)
    return _postponed_restart(rollout)


def _failed(rollout: Rollout, message: str) -> Waiting:
    if rollout.status.abort:
        since = rollout.status.aborted_at
        return Waiting(
            WaitReason.RETRY,
            "aborted: retry the update, or change the template",
            human=True,
            since=since,
        )
    return Waiting(WaitReason.FIX, message or "degraded", human=True)


def _paused(at: Circumstances) -> Waiting:
    condition = (at.rollout.status.pause_conditions or [PauseCondition()])[0]
    since = condition.start_time
    if condition.reason.startswith("Inconclusive"):
        return Waiting(
            WaitReason.JUDGEMENT,
            "the analysis was inconclusive: promote or abort",
            human=True,
            since=since,
        )
    if condition.reason == PauseReason.BLUE_GREEN_PAUSE:
        return _blue_green_pause(at.rollout, since)
    if isinstance(at.step, PauseStep) and not at.step.indefinite:
        return Waiting(
            WaitReason.PAUSE, f"paused for {at.step.duration}", since=since, until=at.step.ends_at
        )
    return Waiting(WaitReason.PROMOTION, "paused until promoted", human=True, since=since)


def _blue_green_pause(rollout: Rollout, since: datetime | None) -> Waiting:
    strategy = rollout.spec.strategy.blue_green
    seconds = strategy.auto_promotion_seconds if strategy else 0
    # `autoPromotionSeconds` promotes by itself unless `autoPromotionEnabled` is explicitly off.
    if strategy is None or (strategy.auto_promotion_enabled is False and not seconds):
        return Waiting(
            WaitReason.PROMOTION, "the preview waits to be promoted", human=True, since=since
        )
    until = since + timedelta(seconds=seconds) if since else None
    return Waiting(WaitReason.PAUSE, f"promotes itself after {seconds} s", since=since, until=until)


def _progressing(at: Circumstances) -> Waiting:
    if at.phase.message.startswith(("waiting for rollout spec", "waiting for rollout to unpause")):
        return Waiting(WaitReason.CONTROLLER, at.phase.message)
    run = _running_analysis(at)
    if run is not None:
        return _analysis(run)
    if at.phase.message == "rollout is restarting":
        return _restart(at.rollout)
    return _step(at) or Waiting(
        WaitReason.PODS, at.phase.message or "pods are changing", deadline=_deadline(at.rollout)
    )


def _step(at: Circumstances) -> Waiting | None:
    step, rollout = at.step, at.rollout
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


def _running_analysis(at: Circumstances) -> AnalysisRunView | None:
    """The run that holds the rollout.

    The step's or a blue-green's own, never the one in the background.
    """
    status, name = at.rollout.status, ""
    held = [
        status.blue_green.pre_promotion_analysis_run_status,
        status.blue_green.post_promotion_analysis_run_status,
    ]
    if isinstance(at.step, AnalysisStep):
        held.append(status.canary.current_step_analysis_run_status)
    for copy in held:
        if copy is not None and copy.status not in COMPLETED:
            name = copy.name
    kinds = (AnalysisRunKind.BACKGROUND, AnalysisRunKind.EXPERIMENT)
    runs = (r for r in at.analysis_runs if r.run.metadata.name == name and r.kind not in kinds)
    return next(runs, None)


def _analysis(view: AnalysisRunView) -> Waiting:
    return Waiting(
        WaitReason.ANALYSIS,
        f"analysis {view.run.metadata.name}",
        since=view.run.status.started_at,
        until=earliest_end(view.run),
        exact=False,
    )


def _experiment(view: ExperimentView | None) -> Waiting:
    if view is None:
        return Waiting(WaitReason.EXPERIMENT, "the experiment is about to begin")
    experiment = view.experiment
    length, available = go_duration(experiment.spec.duration), experiment.status.available_at
    return Waiting(
        WaitReason.EXPERIMENT,
        f"experiment {experiment.metadata.name}",
        since=experiment.metadata.creation_timestamp,
        # The duration counts from the moment that all of its templates are available.
        until=available + length if available and length is not None else None,
        exact=False,
    )


def earliest_end(run: AnalysisRun) -> datetime | None:
    """The earliest time at which a run can be over if it goes well.

    None if its metrics do not tell.
    """
    results = {result.name: result for result in run.status.metric_results or ()}
    ends = [
        _earliest_metric_end(run, metric, results.get(metric.name))
        for metric in run.spec.metrics or ()
    ]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _earliest_metric_end(
    run: AnalysisRun, metric: Metric, result: MetricResult | None
) -> datetime | None:
    measurements = (result.measurements or []) if result else []
    latest = measurements[-1] if measurements else None
    if latest is not None and latest.resume_at is not None:
        return latest.resume_at
    if latest is not None and result is not None and result.phase in COMPLETED:
        return latest.finished_at
    interval = go_duration(metric.interval) or timedelta(0)
    count = metric.count if isinstance(metric.count, int) else None
    if count is None:
        # Without a count a metric is measured once, or with an interval for ever.
        count = 0 if metric.interval else 1
    done = result.count if result else 0
    if count <= 0:
        return None
    if latest is not None and latest.finished_at is not None:
        return latest.finished_at + interval * max(count - done, 0)
    if run.status.started_at is None:
        return None
    delay = go_duration(metric.initial_delay) or timedelta(0)
    return run.status.started_at + delay + interval * (count - 1)


def _restart(rollout: Rollout) -> Waiting:
    return Waiting(WaitReason.RESTART, "pods are being restarted", since=rollout.spec.restart_at)


def _postponed_restart(rollout: Rollout) -> Waiting | None:
    """A healthy rollout whose `restartAt` has not been acted on waits for that time."""
    at = rollout.spec.restart_at
    if at is None or at == rollout.status.restarted_at:
        return None
    return Waiting(WaitReason.POSTPONED_RESTART, "a restart is planned", until=at)


def _deadline(rollout: Rollout) -> datetime | None:
    """When the controller gives up on the update.

    Its clock starts anew at each sign of progress.
    """
    seconds = rollout.spec.progress_deadline_seconds
    for condition in rollout.status.conditions or ():
        if condition.type == "Progressing" and condition.last_update_time is not None:
            limit = _PROGRESS_DEADLINE if seconds is None else seconds
            return condition.last_update_time + timedelta(seconds=limit)
    return None
