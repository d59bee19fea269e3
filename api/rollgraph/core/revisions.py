"""The revision tree: for each revision its ReplicaSets, Experiments and AnalysisRuns."""

import msgspec

from rollgraph.core.analysis import AnalysisRunView, ExperimentView
from rollgraph.core.replicasets import ReplicaSetView, Role


class Revision(msgspec.Struct, frozen=True, gc=False):
    """One revision of a rollout's template; number 0 gathers what carries no revision."""

    number: int
    replica_sets: tuple[ReplicaSetView, ...] = ()
    experiments: tuple[ExperimentView, ...] = ()
    analysis_runs: tuple[AnalysisRunView, ...] = ()

    @property
    def replica_set(self) -> ReplicaSetView | None:
        """The ReplicaSet that runs this revision; None once it has been garbage collected."""
        return self.replica_sets[0] if self.replica_sets else None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The parts that this revision plays."""
        return tuple(dict.fromkeys(role for view in self.replica_sets for role in view.roles))


def revisions(
    replica_sets: tuple[ReplicaSetView, ...],
    experiments: tuple[ExperimentView, ...],
    analysis_runs: tuple[AnalysisRunView, ...],
) -> tuple[Revision, ...]:
    """The revisions that any of the objects names, newest first."""
    numbers = {view.revision for view in replica_sets}
    numbers |= {view.revision for view in experiments}
    numbers |= {view.revision for view in analysis_runs}
    return tuple(
        Revision(
            number=number,
            replica_sets=tuple(view for view in replica_sets if view.revision == number),
            experiments=tuple(view for view in experiments if view.revision == number),
            analysis_runs=tuple(view for view in analysis_runs if view.revision == number),
        )
        for number in sorted(numbers, reverse=True)
    )
