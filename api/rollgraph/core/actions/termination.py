"""The end of an analysis run or an experiment before its time."""

from collections.abc import Iterable

from rollgraph.core.actions.action import TerminateAnalysisRun, TerminateExperiment
from rollgraph.core.actions.guards import not_applicable, nothing_to_do, untouchable
from rollgraph.core.actions.plan import Live, Need, Patch, Plan, Reason, Refusal, Resource
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import POD_TEMPLATE_HASH_LABEL
from rollgraph.core.phase import COMPLETED
from rollgraph.core.refs import Kind, ObjectKey


def no_termination(
    rollout: Rollout, runs: Iterable[AnalysisRun], experiments: Iterable[Experiment]
) -> Refusal | None:
    """Why there is nothing to end."""
    if refusal := untouchable(rollout):
        return refusal
    every: list[AnalysisRun | Experiment] = [*runs, *experiments]
    if any(_over(item) is None for item in every):
        return None
    return not_applicable("no analysis and no experiment is running")


def run_needs(action: TerminateAnalysisRun, rollout: Rollout) -> tuple[Need, ...]:
    """The run; and the experiments, for it may belong to one of the rollout's."""
    namespace = rollout.metadata.namespace
    return (
        Need(Resource.ANALYSIS_RUN, namespace, action.name),
        Need(Resource.EXPERIMENT, namespace, selector=POD_TEMPLATE_HASH_LABEL),
    )


def experiment_needs(action: TerminateExperiment, rollout: Rollout) -> tuple[Need, ...]:
    """The experiment."""
    return (Need(Resource.EXPERIMENT, rollout.metadata.namespace, action.name),)


def terminate_run(action: TerminateAnalysisRun, rollout: Rollout, live: Live) -> Plan | Refusal:
    """The run measures no more; what it has measured decides."""
    run, experiments = (_found(live, need) for need in run_needs(action, rollout))
    owners = {rollout.metadata.uid, *(item.metadata.uid for item in _own(rollout, experiments))}
    own = [item for item in run if owners.intersection(item.metadata.owner_uids)]
    return _terminate(rollout, own, action.name, Resource.ANALYSIS_RUN, "analysis run")


def terminate_experiment(
    action: TerminateExperiment, rollout: Rollout, live: Live
) -> Plan | Refusal:
    """The experiment's pods go, and its analyses end."""
    (need,) = experiment_needs(action, rollout)
    own = _own(rollout, _found(live, need))
    return _terminate(rollout, own, action.name, Resource.EXPERIMENT, "experiment")


def _terminate(
    rollout: Rollout,
    own: list[AnalysisRun | Experiment],
    name: str,
    resource: Resource,
    what: str,
) -> Plan | Refusal:
    if refusal := untouchable(rollout):
        return refusal
    if not own:
        # The same for what does not exist and for what is another rollout's.
        return Refusal(Reason.NOT_FOUND, f"the rollout has no {what} {name!r}")
    if refusal := _over(own[0]):
        return refusal
    # Neither kind has a status subresource, and this is the spec's anyway.
    key = ObjectKey(rollout.metadata.namespace, name)
    return Plan((Patch(resource, key, {"spec": {"terminate": True}}),), f"ends the {what} {name}")


def _over(item: AnalysisRun | Experiment) -> Refusal | None:
    """Whether it has ended, or is about to."""
    name = item.metadata.name
    if item.unreadable:
        return not_applicable(f"Rollgraph cannot read {name}: {item.unreadable}")
    if item.status.phase in COMPLETED:
        return nothing_to_do(f"{name} has ended already: {item.status.phase}")
    if item.spec.terminate or item.metadata.deletion_timestamp is not None:
        return nothing_to_do(f"{name} is about to end already")
    return None


def _own(
    rollout: Rollout, items: Iterable[AnalysisRun | Experiment]
) -> list[AnalysisRun | Experiment]:
    return [item for item in items if rollout.metadata.uid in item.metadata.owner_uids]


def _found(live: Live, need: Need) -> list[AnalysisRun | Experiment]:
    kind = Kind.ANALYSIS_RUN if need.resource is Resource.ANALYSIS_RUN else Kind.EXPERIMENT
    read = (read_object(kind, manifest) for manifest in live.found.get(need, ()))
    return [item for item in read if isinstance(item, AnalysisRun | Experiment)]
