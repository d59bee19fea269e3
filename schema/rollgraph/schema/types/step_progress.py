"""How a canary goes through its steps, as a progress bar wants to know it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from rollgraph.core.changes import Updated
from rollgraph.core.steps import AnyStep
from rollgraph.core.verbs import Scope
from rollgraph.core.view import RolloutView
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.streams.telling import EventKind, Telling, Told
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run
from rollgraph.schema.types.events import RolloutEvent
from rollgraph.schema.types.progress import RolloutProgress, RolloutWait, rollout_wait
from rollgraph.schema.types.rollout import Rollout, rollout
from rollgraph.schema.types.split import PodSplit
from rollgraph.schema.types.steps import CanaryStep, canary_step, is_of_update

# What one event is called in which several things happened.
_BY_WEIGHT = (
    EventKind.STEP_CHANGED,
    EventKind.PHASE_CHANGED,
    EventKind.WEIGHT_CHANGED,
    EventKind.ANALYSIS_RUN_CHANGED,
    EventKind.PODS_CHANGED,
    EventKind.UPDATED,
)
# The parts of a view that are shown here and have no kind of event of their own.
_SHOWN = frozenset({"message", "progress", "rollout", "steps"})


@strawberry.type(description="A step, and if it is the current one what it waits for.")
class StepProgress:
    """A step, and if it is the current one what it waits for."""

    view: strawberry.Private[RolloutView]
    item: strawberry.Private[AnyStep]

    @resolved
    def step(self) -> CanaryStep:
        """The step: what it is, where it stands, when it began."""
        return canary_step(self.view, self.item)

    @resolved
    def current(self) -> bool:
        """Whether the controller is at it."""
        return self._is_current

    @resolved
    def waiting(self) -> RolloutWait | None:
        """What has to happen before the next step; null unless it is the current one."""
        return rollout_wait(self.view.progress.waiting) if self._is_current else None

    @resolved
    def ends_at(self) -> datetime | None:
        """When it ends, or the earliest time; null unless it is current and that is known."""
        waiting = self.view.progress.waiting
        return waiting.until if waiting and self._is_current else None

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(self) -> list[AnalysisRun] | None:
        """The analysis that this step asked for, so far."""
        return [
            analysis_run(self.view.ref, run)
            for run in self.view.analysis_runs
            if run.step_index == self.item.index and is_of_update(self.view, run.revision)
        ]

    @property
    def _is_current(self) -> bool:
        current = self.view.current_step
        return current is not None and current.index == self.item.index


@strawberry.type(description="How a canary goes through its steps, after something of it changed.")
class StepProgressEvent(RolloutEvent):
    """How a canary goes through its steps, after something of it changed."""

    @resolved
    def rollout(self) -> Rollout | None:
        """The rollout as it is then; null where it is gone, and in a RESYNC."""
        view = self.telling.view
        return None if view is None else rollout(view)

    @resolved
    def from_index(self) -> int | None:
        """How many steps were done; null unless another step has become the current one."""
        before, view = self.telling.before, self.telling.view
        changed = before is not None and view is not None and before.step_index != view.step_index
        return before.step_index if before is not None and changed else None

    @resolved
    def to_index(self) -> int | None:
        """How many steps are done."""
        view = self.telling.view
        return None if view is None else view.step_index

    @resolved
    def step(self) -> StepProgress | None:
        """The current step; null when all are done, after an abort, and without steps."""
        view = self.telling.view
        if view is None or view.current_step is None:
            return None
        return StepProgress(view=view, item=view.current_step)

    @resolved
    def steps(self) -> list[StepProgress]:
        """All steps, in order."""
        view = self.telling.view
        return [] if view is None else [StepProgress(view=view, item=item) for item in view.steps]

    @resolved
    def progress(self) -> RolloutProgress | None:
        """How far the update has come, and what it waits for."""
        view = self.telling.view
        return None if view is None else RolloutProgress(progress=view.progress)

    @resolved
    def split(self) -> PodSplit | None:
        """The weight as wanted and as it is, and the pods by role."""
        view = self.telling.view
        return None if view is None else PodSplit(view=view)

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(self) -> list[AnalysisRun] | None:
        """All analysis of this update, so far."""
        view = self.telling.view
        runs = () if view is None else view.analysis_runs
        return [
            analysis_run(view.ref, run)
            for run in runs
            if view is not None and is_of_update(view, run.revision)
        ]

    @resolved
    def reason(self) -> str | None:
        """Why a RESYNC is told."""
        return self.telling.reason or None


def said_of_steps(
    told: Sequence[Told], before: RolloutView | None, after: RolloutView | None
) -> Sequence[Told]:
    """One event for all that happened at once, named by what matters most."""
    own = [each for each in told if each.kind not in _BY_WEIGHT]
    if own:
        return own
    by_kind = {each.kind: each for each in told if _is_shown(each)}
    return next(([by_kind[kind]] for kind in _BY_WEIGHT if kind in by_kind), [])


def _is_shown(told: Told) -> bool:
    return not isinstance(told.change, Updated) or not _SHOWN.isdisjoint(told.change.fields)


def step_progress_event(telling: Telling) -> StepProgressEvent:
    """The GraphQL object of an event."""
    return StepProgressEvent(telling=telling)
