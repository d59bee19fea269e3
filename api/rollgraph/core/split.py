"""Who serves what: a rollout's pods and traffic, one slice per ReplicaSet at work."""

from collections.abc import Iterable, Sequence

import msgspec

from rollgraph.core.analysis import ExperimentView
from rollgraph.core.objects.rollout import (
    BlueGreenStrategy,
    CanaryStrategy,
    Rollout,
    TrafficWeights,
)
from rollgraph.core.replicasets import ReplicaSetView, Role
from rollgraph.core.weights import Weights


class Slice(msgspec.Struct, frozen=True, gc=False):
    """The part of one ReplicaSet. No pod is in two slices, whatever roles its ReplicaSet plays.

    Attributes:
        weight: Its share of the traffic in units of the maximum weight; None if that is not known.
        service: The Service that leads to it alone, or "".
        pods: Pods that exist. ready, available: those that are so.
        experiment: The experiment's name, for an experiment's ReplicaSet.
    """

    replica_set: ReplicaSetView
    weight: int | None
    service: str
    pods: int
    ready: int
    available: int
    experiment: str = ""


def split(
    rollout: Rollout,
    weights: Weights | None,
    replica_sets: Sequence[ReplicaSetView],
    experiments: Sequence[ExperimentView],
) -> tuple[Slice, ...]:
    """One slice per ReplicaSet that has a role or pods.

    Earlier revisions without pods are left out.
    """
    own = [
        _slice(view, _weight(rollout, weights, view), _service(rollout, view))
        for view in replica_sets
        if view.replica_set.status.replicas or view.roles != (Role.OLD,)
    ]
    return (*own, *_experimental(weights, experiments))


def _slice(view: ReplicaSetView, weight: int | None, service: str, experiment: str = "") -> Slice:
    status = view.replica_set.status
    return Slice(
        replica_set=view,
        weight=weight,
        service=service,
        pods=status.replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        experiment=experiment,
    )


def _weight(rollout: Rollout, weights: Weights | None, view: ReplicaSetView) -> int | None:
    if rollout.spec.strategy.blue_green is not None:
        return 100 if Role.ACTIVE in view.roles else 0
    if weights is None:
        return None
    if weights.routed is not None:
        return _routed_weight(weights.routed, view)
    total = rollout.status.available_replicas
    available = view.replica_set.status.available_replicas
    return available * weights.maximum // total if total > 0 else 0


def _routed_weight(routed: TrafficWeights, view: ReplicaSetView) -> int:
    if Role.STABLE in view.roles:
        # Once all is promoted the router's canary destination has no traffic and the stable one has
        # it all.
        return routed.stable.weight
    return routed.canary.weight if Role.CANARY in view.roles else 0


def _service(rollout: Rollout, view: ReplicaSetView) -> str:
    canary, blue_green = rollout.spec.strategy.canary, rollout.spec.strategy.blue_green
    if canary is not None:
        return _canary_service(canary, view)
    return _blue_green_service(blue_green, view) if blue_green is not None else ""


def _canary_service(canary: CanaryStrategy, view: ReplicaSetView) -> str:
    if canary.ping_pong is not None:
        for role, key in ((Role.PING, "pingService"), (Role.PONG, "pongService")):
            if role in view.roles:
                return str(canary.ping_pong.get(key, ""))
    if Role.STABLE in view.roles:
        return canary.stable_service
    return canary.canary_service if Role.CANARY in view.roles else ""


def _blue_green_service(blue_green: BlueGreenStrategy, view: ReplicaSetView) -> str:
    if Role.ACTIVE in view.roles:
        return blue_green.active_service
    return blue_green.preview_service if Role.PREVIEW in view.roles else ""


def _experimental(
    weights: Weights | None, experiments: Sequence[ExperimentView]
) -> Iterable[Slice]:
    routed = (weights.routed.additional or ()) if weights and weights.routed else ()
    by_hash = {destination.pod_template_hash: destination for destination in routed}
    for experiment in experiments:
        for view in experiment.replica_sets:
            if not view.replica_set.status.replicas:
                continue
            destination = by_hash.get(view.replica_set.pod_template_hash)
            yield _slice(
                view,
                destination.weight if destination else None,
                destination.service_name if destination else "",
                experiment.experiment.metadata.name,
            )
