"""A rollout."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
import strawberry

from rollgraph.core.audit import Deed
from rollgraph.core.pauses import PauseReason, pause_reason
from rollgraph.core.phase import Phase
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.replicasets import created
from rollgraph.core.revisions import Revision as CoreRevision
from rollgraph.core.verbs import Scope
from rollgraph.core.view import RolloutView, StrategyKind
from rollgraph.schema.connections import (
    FILTER,
    After,
    Before,
    Connection,
    First,
    Last,
    connect,
    window,
)
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import guarded
from rollgraph.schema.ids import global_id
from rollgraph.schema.scalars import Json
from rollgraph.schema.types.analysis import AnalysisRun, AnalysisRunFilter, analysis_run
from rollgraph.schema.types.audit import AuditEventConnection, audit_events
from rollgraph.schema.types.duration import RolloutDuration, rollout_duration
from rollgraph.schema.types.experiment import Experiment, experiment
from rollgraph.schema.types.images import (
    ContainerImage,
    RunningImage,
    container_images,
    running_images,
)
from rollgraph.schema.types.kubernetes import (
    Condition,
    KubernetesEvent,
    KubernetesObject,
    conditions,
)
from rollgraph.schema.types.progress import RolloutProgress
from rollgraph.schema.types.replicas import ReplicaCounts
from rollgraph.schema.types.revision import Revision, revision
from rollgraph.schema.types.split import PodSplit
from rollgraph.schema.types.steps import CanaryStep, canary_step
from rollgraph.schema.types.strategy import RolloutStrategy, rollout_strategy
from rollgraph.schema.types.viewer_actions import RolloutAction, ViewerAction, viewer_actions


@strawberry.type(description="Why and since when the controller holds a rollout.")
class PauseCondition:
    """Why and since when the controller holds a rollout."""

    reason: PauseReason = strawberry.field(description="Why.")
    start_time: datetime | None = strawberry.field(description="Since when.")


@strawberry.type(description="The workload whose template a rollout borrows.")
class WorkloadRef:
    """The workload whose template a rollout borrows."""

    api_version: str = strawberry.field(description="Its API version.")
    kind: str = strawberry.field(description="Its kind.")
    name: str = strawberry.field(description="Its name.")


@strawberry.federation.type(keys=["id", "clusterName namespace name"], description="A rollout.")
class Rollout(KubernetesObject):
    """A rollout."""

    kind: ClassVar[Kind] = Kind.ROLLOUT
    view: strawberry.Private[RolloutView]

    def node_id(self) -> strawberry.ID:
        """See `Node`."""
        ref = self.view.ref
        return global_id("Rollout", ref.cluster, ref.namespace, ref.name)

    @classmethod
    def resolve_reference(cls, info: Info, **reference: str) -> "Rollout | None":
        """The rollout that a router's reference by place means."""
        place = [reference.get(key, "") for key in ("clusterName", "namespace", "name")]
        return rollout_of(info, RolloutRef(*place))

    @resolved
    def phase(self) -> Phase:
        """Where it stands."""
        return self.view.phase

    @resolved
    def message(self) -> str | None:
        """Why it is so, in the controller's words."""
        return self.view.message or None

    @resolved
    def updated_at(self) -> datetime:
        """When the Rollout object was last written, its status included."""
        return self.view.updated_at

    @resolved
    def observed_generation(self) -> str | None:
        """The generation that the controller has acted on."""
        return self.view.rollout.status.observed_generation or None

    @resolved
    def aborted(self) -> bool:
        """Whether the update has been aborted."""
        return self.view.rollout.status.abort

    @resolved
    def aborted_at(self) -> datetime | None:
        """When it was."""
        return self.view.rollout.status.aborted_at

    @resolved
    def paused(self) -> bool:
        """Whether someone has set `spec.paused`; the controller's pauses are `pauseConditions`."""
        return self.view.rollout.spec.paused

    @resolved
    def pause_conditions(self) -> list[PauseCondition]:
        """Why the controller holds it."""
        return [
            PauseCondition(reason=pause_reason(item.reason), start_time=item.start_time)
            for item in self.view.rollout.status.pause_conditions or ()
        ]

    @resolved
    def promote_full(self) -> bool:
        """Whether a full promotion is under way."""
        return self.view.rollout.status.promote_full

    @resolved
    def restart_at(self) -> datetime | None:
        """When someone wants its pods restarted."""
        return self.view.rollout.spec.restart_at

    @resolved
    def restarted_at(self) -> datetime | None:
        """The `restartAt` that was last carried out."""
        return self.view.rollout.status.restarted_at

    @resolved
    def strategy_kind(self) -> StrategyKind | None:
        """How it moves to a new template, in a word."""
        return self.view.strategy

    @resolved
    def strategy(self) -> RolloutStrategy | None:
        """How it moves to a new template; null if the spec names no strategy that is known."""
        return rollout_strategy(self.view)

    @resolved
    def steps(self) -> list[CanaryStep]:
        """The steps of a canary, in order."""
        return [canary_step(self.view, step) for step in self.view.steps]

    @resolved
    def current_step_index(self) -> int | None:
        """How many steps are done, which is the current step's index; null until they begin."""
        return self.view.step_index

    @resolved
    def current_step(self) -> CanaryStep | None:
        """The step that the controller is at; null when all are done, and after an abort."""
        step = self.view.current_step
        return canary_step(self.view, step) if step else None

    @resolved
    def progress(self) -> RolloutProgress:
        """How far the update has come, and what it waits for."""
        return RolloutProgress(progress=self.view.progress)

    @resolved
    def replicas(self) -> ReplicaCounts:
        """Its pods, counted by the controller; blue-green counts only active ones as ready."""
        status = self.view.rollout.status
        return ReplicaCounts(
            desired=self.view.rollout.desired,
            current=status.replicas,
            updated=status.updated_replicas,
            ready=status.ready_replicas,
            available=status.available_replicas,
            hpa=status.hpa_replicas,
        )

    @resolved
    def split(self) -> PodSplit:
        """Who serves what: pods and traffic by role."""
        return PodSplit(view=self.view)

    @resolved
    def images(self) -> list[ContainerImage]:
        """The images of the present template, also where that is a Deployment's."""
        return container_images(self.view.images)

    @resolved
    def running_images(self) -> list[RunningImage]:
        """The images that pods run now, by name, with the parts that they play."""
        return running_images(self.view)

    @resolved
    def workload_ref(self) -> WorkloadRef | None:
        """The workload whose template it borrows."""
        ref = self.view.rollout.spec.workload_ref
        if ref is None:
            return None
        return WorkloadRef(api_version=ref.api_version, kind=ref.kind, name=ref.name)

    @resolved
    def revisions(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Revision]:
        """Its revisions, newest first."""
        return connect(
            self.view.revisions,
            lambda item: (-item.number,),
            lambda item: revision(self.view.ref, item),
            window(first, after, last, before),
        )

    @resolved
    def stable_revision(self) -> Revision | None:
        """The revision that an abort goes back to."""
        return self._revision(self.view.rollout.status.stable_rs)

    @resolved
    def current_revision(self) -> Revision | None:
        """The revision of the present template."""
        return self._revision(self.view.rollout.status.current_pod_hash)

    @guarded(scope=Scope.ANALYSIS_READ)
    @resolved
    def analysis_runs(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[AnalysisRunFilter | None, FILTER] = None,
    ) -> Connection[AnalysisRun]:
        """Its analysis runs, newest revision first; those of experiments are with them."""
        runs = [r for r in self.view.analysis_runs if filter is None or filter.holds(r)]
        return connect(
            runs,
            lambda item: (-item.revision, created(item.run).isoformat(), item.run.metadata.name),
            lambda item: analysis_run(self.view.ref, item),
            window(first, after, last, before),
        )

    @resolved
    def experiments(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Experiment]:
        """Its experiments, newest revision first."""
        return connect(
            self.view.experiments,
            lambda item: (
                -item.revision,
                created(item.experiment).isoformat(),
                item.experiment.metadata.name,
            ),
            lambda item: experiment(self.view.ref, item),
            window(first, after, last, before),
        )

    @resolved
    def events(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[KubernetesEvent]:
        """What Kubernetes recorded about it, the latest first; it forgets after an hour."""
        return connect(
            self.view.events,
            lambda item: (item.age_key[0].isoformat(), item.age_key[1]),
            lambda item: KubernetesEvent(event=item),
            window(first, after, last, before),
            descending=True,
        )

    @guarded(scope=Scope.AUDIT_READ, admin=True, deed=Deed.READ_AUDIT)
    @resolved
    async def audit_events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEventConnection | None:
        """Who wanted what of it, and what came of that, the newest first; for admins only.

        Of another rollout that had its name before, too.
        """
        return await audit_events(
            info, first=first, after=after, last=last, before=before, of=self.view.ref
        )

    @resolved
    def conditions(self) -> list[Condition]:
        """Its conditions, as the controller reports them."""
        return conditions(self.view.rollout.status.conditions)

    @resolved
    def duration(self) -> RolloutDuration | None:
        """How long the update took; null where the controller does not measure it."""
        return rollout_duration(self.view)

    @resolved
    def viewer_actions(
        self,
        info: Info,
        actions: Annotated[
            list[RolloutAction] | None, strawberry.argument(description="Only these.")
        ] = None,
    ) -> list[ViewerAction]:
        """What the viewer may do to it now, and if not, why: their rights, then its state."""
        return viewer_actions(info, self.view, actions)

    @resolved
    def manifest(self) -> Json | None:
        """The object as the spoke has it, without managedFields and kubectl's copy."""
        raw = self.view.rollout.manifest_json
        return Json(msgspec.json.decode(raw)) if raw else None

    def _revision(self, pod_template_hash: str) -> Revision | None:
        if not pod_template_hash:
            return None
        found = next((r for r in self.view.revisions if _runs(r, pod_template_hash)), None)
        return revision(self.view.ref, found) if found else None


def rollout(view: RolloutView) -> Rollout:
    """The GraphQL object of a rollout."""
    return Rollout(
        cluster_name=view.ref.cluster,
        source=view.rollout,
        view=view,
    )


def rollout_of(info: Info, ref: RolloutRef) -> Rollout | None:
    """The rollout with this place, as the mirror has it now."""
    view = info.context.fleet.rollout(ref)
    return rollout(view) if view else None


def _runs(item: CoreRevision, pod_template_hash: str) -> bool:
    return any(v.replica_set.pod_template_hash == pod_template_hash for v in item.replica_sets)
