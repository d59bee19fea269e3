"""A revision: one version of a rollout's template, and what came of it."""

from datetime import datetime

import strawberry

from rollgraph.core.refs import RolloutRef
from rollgraph.core.replicasets import Role, created
from rollgraph.core.revisions import Revision as CoreRevision
from rollgraph.core.verbs import Scope
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.ids import global_id
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run
from rollgraph.schema.types.experiment import Experiment, experiment
from rollgraph.schema.types.images import ContainerImage, container_images
from rollgraph.schema.types.kubernetes import Node
from rollgraph.schema.types.replicas import ReplicaSet, replica_set


@strawberry.type(description="One version of a rollout's template, and what came of it.")
class Revision(Node):
    """One version of a rollout's template, and what came of it."""

    rollout: strawberry.Private[RolloutRef]
    view: strawberry.Private[CoreRevision]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        ref = self.rollout
        place = (ref.cluster, ref.namespace, ref.name, str(self.view.number))
        return global_id("Revision", *place)

    @resolved
    def number(self) -> int:
        """Counts up; 0 gathers what carries no revision."""
        return self.view.number

    @resolved
    def roles(self) -> list[Role]:
        """The parts that it plays now."""
        return list(self.view.roles)

    @resolved
    def pod_template_hash(self) -> str | None:
        """The hash of its template, while a ReplicaSet of it exists."""
        found = self.view.replica_set
        return found.replica_set.pod_template_hash if found else None

    @resolved
    def images(self) -> list[ContainerImage]:
        """Its images, while a ReplicaSet of it exists."""
        found = self.view.replica_set
        return container_images(found.images) if found else []

    @resolved
    def created_at(self) -> datetime | None:
        """When its ReplicaSet was made."""
        found = self.view.replica_set
        return created(found.replica_set) if found else None

    @resolved
    def change_cause(self) -> str | None:
        """Why it was made, if the `kubernetes.io/change-cause` annotation says."""
        found = self.view.replica_set
        cause = found.replica_set.metadata.annotation("kubernetes.io/change-cause") if found else ""
        return cause or None

    @resolved
    def replica_set(self) -> ReplicaSet | None:
        """The ReplicaSet that runs it; null once that has been garbage collected."""
        found = self.view.replica_set
        return replica_set(self.rollout, found) if found else None

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(self) -> list[AnalysisRun]:
        """The analysis runs of this revision, oldest first."""
        return [analysis_run(self.rollout, run) for run in self.view.analysis_runs]

    @resolved
    def experiments(self) -> list[Experiment]:
        """The experiments of this revision, oldest first."""
        return [experiment(self.rollout, item) for item in self.view.experiments]


def revision(rollout: RolloutRef, view: CoreRevision) -> Revision:
    """The GraphQL object of a revision."""
    return Revision(rollout=rollout, view=view)
