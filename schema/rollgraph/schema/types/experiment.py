"""An experiment of a rollout: templates that run side by side."""

from datetime import datetime, timedelta
from typing import ClassVar

import strawberry

from rollgraph.core.analysis import AnalysisPhase, ExperimentView
from rollgraph.core.durations import go_duration
from rollgraph.core.objects import analysis as objects
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.verbs import Scope
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.types.analysis import AnalysisRun, analysis_run
from rollgraph.schema.types.kubernetes import Condition, KubernetesObject, belonging_id, conditions
from rollgraph.schema.types.owners import OptionalRollout, owning_rollout
from rollgraph.schema.types.replicas import ReplicaCounts, ReplicaSet, replica_set


@strawberry.type(description="One template that an experiment runs.")
class ExperimentTemplate:
    """One template that an experiment runs."""

    name: str = strawberry.field(description="The template's name.")
    status: str = strawberry.field(description="How it fares, in the controller's word.")
    message: str | None = strawberry.field(description="Why it is so.")
    replicas: ReplicaCounts = strawberry.field(description="Its pods.")
    pod_template_hash: str | None = strawberry.field(description="The hash of its template.")
    service_name: str | None = strawberry.field(description="The Service that leads to it.")


@strawberry.type(description="An experiment of a rollout: templates that run side by side.")
class Experiment(KubernetesObject):
    """An experiment of a rollout: templates that run side by side."""

    kind: ClassVar[Kind] = Kind.EXPERIMENT
    owner: strawberry.Private[RolloutRef]
    view: strawberry.Private[ExperimentView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        return belonging_id("Experiment", self.owner, self.source)

    @resolved
    def rollout(self, info: Info) -> OptionalRollout:
        """The rollout that it belongs to."""
        return owning_rollout(info, self.owner)

    @resolved
    def phase(self) -> AnalysisPhase:
        """Where it stands."""
        return self.view.phase

    @resolved
    def message(self) -> str | None:
        """Why it is so."""
        return self.view.experiment.status.message or None

    @resolved
    def revision(self) -> int:
        """The revision that asked for it; 0 if it does not say."""
        return self.view.revision

    @resolved
    def available_at(self) -> datetime | None:
        """When all its templates had become available."""
        return self.view.experiment.status.available_at

    @resolved
    def duration(self) -> timedelta | None:
        """How long it runs once available; null until its analyses end."""
        return go_duration(self.view.experiment.spec.duration)

    @resolved
    def templates(self) -> list[ExperimentTemplate]:
        """What it runs."""
        wanted = {t.name: t.replicas for t in self.view.experiment.spec.templates or ()}
        return [
            _template(status, wanted.get(status.name))
            for status in self.view.experiment.status.template_statuses or ()
        ]

    @resolved
    def replica_sets(self) -> list[ReplicaSet]:
        """Its ReplicaSets, by name."""
        return [replica_set(self.owner, view) for view in self.view.replica_sets]

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(self) -> list[AnalysisRun]:
        """Its analysis runs, oldest first."""
        return [analysis_run(self.owner, view) for view in self.view.analysis_runs]

    @resolved
    def conditions(self) -> list[Condition]:
        """Its conditions."""
        return conditions(self.view.experiment.status.conditions)


def experiment(owner: RolloutRef, view: ExperimentView) -> Experiment:
    """The GraphQL object of an experiment."""
    return Experiment(
        cluster_name=owner.cluster,
        source=view.experiment,
        owner=owner,
        view=view,
    )


def _template(status: objects.ExperimentTemplateStatus, wanted: int | None) -> ExperimentTemplate:
    return ExperimentTemplate(
        name=status.name,
        status=status.status,
        message=status.message or None,
        replicas=ReplicaCounts(
            desired=1 if wanted is None else wanted,
            current=status.replicas,
            updated=status.updated_replicas,
            ready=status.ready_replicas,
            available=status.available_replicas,
        ),
        pod_template_hash=status.pod_template_hash or None,
        service_name=status.service_name or None,
    )
