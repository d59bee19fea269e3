"""From an action and what was just read to a plan: which rule is asked for which action."""

from datetime import datetime

from rollgraph.core.actions import (
    abort,
    image,
    pause,
    promotion,
    restart,
    stepping,
    termination,
    undo,
)
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    Resume,
    Retry,
    SetImage,
    SkipStep,
    TerminateAnalysisRun,
    TerminateExperiment,
    Undo,
)
from rollgraph.core.actions.guards import stale
from rollgraph.core.actions.plan import (
    ANYWHERE,
    Expectations,
    Live,
    Manifest,
    Need,
    Plan,
    Reason,
    Refusal,
)
from rollgraph.core.actions.workload import workload_needs
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind


def needs(action: Action, rollout: Manifest) -> tuple[Need, ...]:
    """What has to be read beside the rollout before `plan` can be asked.

    Empty for most actions, and for a rollout that cannot be read.
    """
    read = _read(rollout)
    match action:
        case Undo():
            return undo.undo_needs(read)
        case SetImage():
            return workload_needs(read)
        case TerminateAnalysisRun():
            return termination.run_needs(action, read)
        case TerminateExperiment():
            return termination.experiment_needs(action, read)
        case _:
            return ()


def plan(
    action: Action, live: Live, now: datetime, expected: Expectations = ANYWHERE
) -> Plan | Refusal:
    """What to send for an action, or why not.

    Args:
        live: The Rollout, and what was found for each of `needs`.
        expected: Where the caller saw the rollout. After a first patch of a plan has changed it,
            whoever plans again leaves out the resourceVersion.

    Raises `UnreadableError` for a Rollout without readable metadata.
    """
    rollout = _read(live.rollout)
    if refusal := stale(rollout, expected):
        return refusal
    planned = _planned(action, rollout, live, now)
    if isinstance(planned, Refusal) and planned.reason is Reason.NOTHING_TO_DO:
        return Plan((), planned.message)
    return planned


def _planned(action: Action, rollout: Rollout, live: Live, now: datetime) -> Plan | Refusal:
    match action:
        case Promote():
            return promotion.promote(rollout, live.rollout)
        case PromoteFull():
            return promotion.promote_full(rollout)
        case SkipStep():
            return stepping.skip(rollout, live.rollout)
        case JumpToStep():
            return stepping.jump(action, rollout, live.rollout)
        case Abort():
            return abort.abort(rollout)
        case Retry():
            return abort.retry(rollout)
        case Pause():
            return pause.pause(rollout)
        case Resume():
            return pause.resume(rollout)
        case Restart():
            return restart.restart(action, rollout, now)
        case Undo():
            return undo.undo(action, rollout, live)
        case SetImage():
            return image.set_image(action, rollout, live)
        case TerminateAnalysisRun():
            return termination.terminate_run(action, rollout, live)
        case TerminateExperiment():
            return termination.terminate_experiment(action, rollout, live)


def _read(manifest: Manifest) -> Rollout:
    rollout = read_object(Kind.ROLLOUT, manifest)
    assert isinstance(rollout, Rollout)
    return rollout
