"""What a stream of analysis runs says of a rollout's changes."""

from collections.abc import Iterator, Sequence

from rollgraph.core.changes import AnalysisRunChanged
from rollgraph.core.view import RolloutView
from rollgraph.schema.streams.telling import EventKind, Told


def said_of_runs(
    told: Sequence[Told], before: RolloutView | None, after: RolloutView | None
) -> Sequence[Told]:
    """An event for each run that is new to the reader or has changed."""
    return [said for each in told for said in _said(each, after)]


def _said(told: Told, view: RolloutView | None) -> Iterator[Told]:
    match told.kind:
        case EventKind.SNAPSHOT | EventKind.ADDED:
            for run in view.all_analysis_runs if view is not None else ():
                yield Told(told.kind, AnalysisRunChanged(run))
        case EventKind.ANALYSIS_RUN_CHANGED | EventKind.DELETED:
            yield told
        case _:
            pass
