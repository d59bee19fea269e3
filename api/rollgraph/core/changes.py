"""What happened to a rollout between two of its views.

Each kind of change is told apart, because a reader waits for one of them: a portal for the phase, a
progress bar for the step, a graph for the weight. Nothing here needs more than the two views, so
whoever holds both can tell: a worker, a gateway that replays a log, a test.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from rollgraph.core.analysis import AnalysisRunView
from rollgraph.core.objects.analysis import Measurement
from rollgraph.core.phase import Phase
from rollgraph.core.pods import PodView
from rollgraph.core.steps import AnyStep
from rollgraph.core.view import RolloutView
from rollgraph.core.weights import Weights


class Added(msgspec.Struct, frozen=True, gc=False):
    """There is a rollout that was not there."""


class Deleted(msgspec.Struct, frozen=True, gc=False):
    """The rollout is gone."""


class PhaseChanged(msgspec.Struct, frozen=True, gc=False):
    """The phase is another one.

    Attributes:
        message: What the new phase says.
    """

    before: Phase
    after: Phase
    message: str = ""


class StepChanged(msgspec.Struct, frozen=True, gc=False):
    """Another step is the current one: the next, an earlier one after an abort, or none.

    Attributes:
        before, after: How many steps were and are done; None without steps.
        step: The step that is current now; None when there is none.
    """

    before: int | None
    after: int | None
    step: AnyStep | None = None


class WeightChanged(msgspec.Struct, frozen=True, gc=False):
    """The canary's weight as wanted, as it is, or as confirmed is another one."""

    before: Weights | None
    after: Weights | None


class PodsChanged(msgspec.Struct, frozen=True, gc=False):
    """Pods came, went or fare differently.

    Attributes:
        pods: Those that are new or fare differently, as they are now.
        gone: The names of those that are not there any more.
    """

    pods: tuple[PodView, ...] = ()
    gone: tuple[str, ...] = ()


class AnalysisRunChanged(msgspec.Struct, frozen=True, gc=False):
    """An analysis run began, measured something, or ended.

    Attributes:
        run: The run as it is now.
        measurements: Those that were not there before, or had not finished.
    """

    run: AnalysisRunView
    measurements: tuple[Measurement, ...] = ()


class Updated(msgspec.Struct, frozen=True, gc=False):
    """Something else is different.

    Attributes:
        fields: Which of the view's parts, by their names in `RolloutView`.
    """

    fields: tuple[str, ...]


Change: TypeAlias = (
    Added
    | Deleted
    | PhaseChanged
    | StepChanged
    | WeightChanged
    | PodsChanged
    | AnalysisRunChanged
    | Updated
)


def changes(before: RolloutView | None, after: RolloutView | None) -> tuple[Change, ...]:
    """What happened, the phase first; empty only if the views are equal.

    None stands for a rollout that does not exist. A rollout that was deleted and made again under
    its name is gone and new, and has nothing in common with the one before.
    """
    if before is None or after is None:
        return _existence(before, after)
    if before.rollout.metadata.uid != after.rollout.metadata.uid:
        return (Deleted(), Added())
    told = (
        *_phase(before, after),
        *_step(before, after),
        *_weight(before, after),
        *_pods(before, after),
        *_analysis_runs(before, after),
    )
    return told or _updated(before, after)


def is_transition(before: RolloutView | None, after: RolloutView | None) -> bool:
    """Whether a reader would miss something if the later view alone were shown."""
    if before is None or after is None:
        return before is not after
    return (before.phase, before.message, before.step_index, before.rollout.metadata.uid) != (
        after.phase,
        after.message,
        after.step_index,
        after.rollout.metadata.uid,
    )


def _existence(before: RolloutView | None, after: RolloutView | None) -> tuple[Change, ...]:
    if before is after:
        return ()
    return (Added(),) if before is None else (Deleted(),)


def _phase(before: RolloutView, after: RolloutView) -> Iterator[Change]:
    if before.phase is not after.phase:
        yield PhaseChanged(before.phase, after.phase, after.message)


def _step(before: RolloutView, after: RolloutView) -> Iterator[Change]:
    # After an abort the count is that of the update that follows, but no step is current.
    was, now = before.current_step, after.current_step
    same_step = (was is None) is (now is None)
    if before.step_index != after.step_index or not same_step:
        yield StepChanged(before.step_index, after.step_index, now)


def _weight(before: RolloutView, after: RolloutView) -> Iterator[Change]:
    if before.weights != after.weights:
        yield WeightChanged(before.weights, after.weights)


def _pods(before: RolloutView, after: RolloutView) -> Iterator[Change]:
    if before.all_replica_sets == after.all_replica_sets:
        return
    were, are = _pods_by_uid(before), _pods_by_uid(after)
    pods = tuple(pod for uid, pod in are.items() if _fare(were.get(uid)) != _fare(pod))
    gone = tuple(pod.pod.metadata.name for uid, pod in were.items() if uid not in are)
    if pods or gone:
        yield PodsChanged(pods, gone)


def _pods_by_uid(view: RolloutView) -> dict[str, PodView]:
    return {pod.pod.metadata.uid: pod for item in view.all_replica_sets for pod in item.pods}


def _fare(pod: PodView | None) -> object:
    """What a reader sees of a pod: a kubelet writes its status more often than anything of it."""
    if pod is None:
        return None
    counts = (pod.ready_containers, pod.total_containers, pod.restarts)
    return (pod.reason, pod.category, pod.ready, counts, pod.pod.spec.node_name)


def _analysis_runs(before: RolloutView, after: RolloutView) -> Iterator[Change]:
    were = {view.run.metadata.uid: view for view in before.all_analysis_runs}
    for view in after.all_analysis_runs:
        was = were.get(view.run.metadata.uid)
        if was != view:
            yield AnalysisRunChanged(view, _new_measurements(was, view))


def _new_measurements(
    before: AnalysisRunView | None, after: AnalysisRunView
) -> tuple[Measurement, ...]:
    known = [] if before is None else _measurements(before)
    return tuple(item for _, item in _missing(known, _measurements(after)))


def _measurements(view: AnalysisRunView) -> list[tuple[str, Measurement]]:
    results = view.run.status.metric_results or ()
    return [(result.name, item) for result in results for item in result.measurements or ()]


def _missing(
    known: Sequence[tuple[str, Measurement]], found: Sequence[tuple[str, Measurement]]
) -> list[tuple[str, Measurement]]:
    return [item for item in found if item not in known]


def _updated(before: RolloutView, after: RolloutView) -> tuple[Change, ...]:
    names = RolloutView.__struct_fields__
    fields = tuple(name for name in names if getattr(before, name) != getattr(after, name))
    return (Updated(fields),) if fields else ()
