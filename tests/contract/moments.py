"""A rollout's objects at a moment as Rollgraph sees them, without what differs from run to run."""

from collections.abc import Sequence
from typing import Any

from lives import view_of
from rollgraph.core.objects.meta import Condition
from rollgraph.core.replicasets import ReplicaSetView
from rollgraph.core.view import RolloutView

Moment = dict[str, Any]


def moment(objects: Sequence[dict[str, Any]], name: str) -> Moment:
    """What Rollgraph says of the rollout of that name.

    Hashes of templates are replaced by revisions; names, UIDs and times are left out.
    """
    view = view_of(objects, name)
    return _plain(view, _revisions(view))


def _revisions(view: RolloutView) -> dict[str, str]:
    return {rs.replica_set.pod_template_hash: f"revision-{rs.revision}" for rs in view.replica_sets}


def _plain(view: RolloutView, revisions: dict[str, str]) -> Moment:
    def named(text: str) -> str:
        for found, revision in revisions.items():
            text = text.replace(found, revision)
        return text

    status = view.rollout.status
    return {
        "phase": view.phase,
        "message": named(view.message),
        "step": view.step_index,
        "weights": view.weights and (view.weights.desired, view.weights.actual),
        "completed": view.progress.steps_completed,
        "waiting": view.progress.waiting and named(view.progress.waiting.message),
        "replicas": [
            status.replicas,
            status.updated_replicas,
            status.ready_replicas,
            status.available_replicas,
            status.hpa_replicas,
        ],
        "stable": named(status.stable_rs),
        "current": named(status.current_pod_hash),
        "active": named(status.blue_green.active_selector),
        "preview": named(status.blue_green.preview_selector),
        "pauses": [pause.reason for pause in status.pause_conditions or ()],
        "controllerPause": status.controller_pause,
        "abort": (status.abort, status.aborted_at is not None),
        "promoteFull": status.promote_full,
        "conditions": sorted(_condition(item, named) for item in status.conditions or ()),
        "replicaSets": [_replica_set(rs) for rs in view.replica_sets],
        "runs": [
            (
                named(run.run.metadata.name),
                run.run.status.phase,
                run.run.status.message,
                [
                    (result.phase, [(m.phase, m.value) for m in result.measurements or ()])
                    for result in run.run.status.metric_results or ()
                ],
            )
            for run in view.analysis_runs
        ],
    }


def _condition(item: Condition, named: Any) -> tuple[str, ...]:
    return item.type, item.status, item.reason, named(item.message)


def _replica_set(rs: ReplicaSetView) -> Moment:
    return {
        "revision": rs.revision,
        "roles": rs.roles,
        "health": rs.health,
        "replicas": rs.replica_set.spec.replicas,
        "images": [image.image for image in rs.images],
        "delayed": rs.scale_down_deadline is not None,
        "pods": sorted(
            (pod.reason, pod.ready_containers, pod.total_containers, pod.restarts)
            for pod in rs.pods
        ),
    }
