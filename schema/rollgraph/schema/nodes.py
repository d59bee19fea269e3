"""From global IDs back to objects.

Whoever holds an ID has no right by it: whatever is found here is checked like any other read.
"""

from collections.abc import Callable

from rollgraph.core.errors import BadRequestError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Info
from rollgraph.schema.ids import read_global_id
from rollgraph.schema.types.analysis import analysis_run
from rollgraph.schema.types.cluster import cluster
from rollgraph.schema.types.experiment import experiment
from rollgraph.schema.types.kubernetes import Node
from rollgraph.schema.types.replicas import pod, replica_set
from rollgraph.schema.types.revision import revision
from rollgraph.schema.types.rollout import rollout

Finder = Callable[[RolloutView, str], Node | None]


def node(info: Info, global_id: str) -> Node | None:
    """The object with this ID, None if it does not exist (any more).

    Raises `BadRequestError` for what is no ID of this API, `NotAllowedError` if the caller's token
    is not good for its type.
    """
    type_name, place = read_global_id(global_id)
    if type_name == "AnalysisRun":
        info.context.demand(Scope.ANALYSIS_READ, Verb.GET)
    match place:
        case (name,) if type_name == "Cluster":
            found = info.context.cluster(name)
            return cluster(found) if found else None
        case (cluster_name, namespace, name) if type_name == "Rollout":
            view = info.context.fleet.rollout(RolloutRef(cluster_name, namespace, name))
            return rollout(view) if view else None
        case (cluster_name, namespace, name, own) if type_name in _BELONGINGS:
            view = info.context.fleet.rollout(RolloutRef(cluster_name, namespace, name))
            return _BELONGINGS[type_name](view, own) if view else None
    raise BadRequestError(f"{global_id!r} is the id of no type of this API")


def _replica_set(view: RolloutView, name: str) -> Node | None:
    named = (r for r in view.all_replica_sets if r.replica_set.metadata.name == name)
    found = next(named, None)
    return replica_set(view.ref, found) if found else None


def _pod(view: RolloutView, name: str) -> Node | None:
    for owner in view.all_replica_sets:
        for item in owner.pods:
            if item.pod.metadata.name == name:
                return pod(view.ref, item, owner.roles)
    return None


def _analysis_run(view: RolloutView, name: str) -> Node | None:
    found = next((r for r in view.all_analysis_runs if r.run.metadata.name == name), None)
    return analysis_run(view.ref, found) if found else None


def _experiment(view: RolloutView, name: str) -> Node | None:
    found = next((e for e in view.experiments if e.experiment.metadata.name == name), None)
    return experiment(view.ref, found) if found else None


def _revision(view: RolloutView, number: str) -> Node | None:
    found = next((r for r in view.revisions if str(r.number) == number), None)
    return revision(view.ref, found) if found else None


_BELONGINGS: dict[str, Finder] = {
    "ReplicaSet": _replica_set,
    "Pod": _pod,
    "AnalysisRun": _analysis_run,
    "Experiment": _experiment,
    "Revision": _revision,
}
