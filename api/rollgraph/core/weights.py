"""How much traffic the canary should get and does get.

All weights are in units of `maximum`, which is 100 unless the traffic router is told otherwise.
"""

from collections.abc import Sequence

import msgspec

from rollgraph.core.objects.rollout import CanaryStrategy, Rollout, TrafficWeights
from rollgraph.core.replicasets import ReplicaSetView, Role
from rollgraph.core.steps import AnyStep, SetWeightStep


class Weights(msgspec.Struct, frozen=True, gc=False):
    """The canary's weight as wanted and as it is.

    Attributes:
        desired: What the last `setWeight` step asks for; `maximum` once all steps are done.
        actual: What the traffic router was told, or without one the canary's share of the available
            pods.
        verified: Whether the router confirmed the weights; None if nobody asked it.
        routed: The router's own figures per destination; None without a router.
    """

    desired: int
    actual: int
    maximum: int = 100
    verified: bool | None = None
    routed: TrafficWeights | None = None


def weights(
    rollout: Rollout, steps: Sequence[AnyStep], replica_sets: Sequence[ReplicaSetView]
) -> Weights | None:
    """The weights of a canary; None for any other strategy."""
    canary = rollout.spec.strategy.canary
    if canary is None:
        return None
    maximum = _maximum(canary)
    routed = rollout.status.canary.weights if canary.traffic_routing is not None else None
    desired = _desired(rollout, steps, maximum)
    return Weights(
        desired=desired,
        actual=_actual(rollout, canary, steps, replica_sets, desired, maximum),
        maximum=maximum,
        verified=routed.verified if routed else None,
        routed=routed,
    )


def _maximum(canary: CanaryStrategy) -> int:
    value = (canary.traffic_routing or {}).get("maxTrafficWeight")
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return 100


def _at_step(rollout: Rollout, steps: Sequence[AnyStep]) -> int | None:
    """The index of the step that the controller is at, also after an abort.

    None when all are done.
    """
    index = max(rollout.status.current_step_index or 0, 0)
    return index if index < len(steps) else None


def _desired(rollout: Rollout, steps: Sequence[AnyStep], maximum: int) -> int:
    if rollout.status.abort:
        return 0
    index = _at_step(rollout, steps)
    if index is None:
        return maximum
    for step in reversed(steps[: index + 1]):
        if isinstance(step, SetWeightStep):
            return step.weight
    return 0


def _actual(
    rollout: Rollout,
    canary: CanaryStrategy,
    steps: Sequence[AnyStep],
    replica_sets: Sequence[ReplicaSetView],
    desired: int,
    maximum: int,
) -> int:
    # Correction: upstream says `maximum` for a canary without steps from the moment that its update
    # begins. We look at the pods (or the router) until the update is done.
    updating_without_steps = not steps and not rollout.fully_promoted
    if _at_step(rollout, steps) is None and not updating_without_steps:
        return maximum
    if rollout.status.available_replicas <= 0:
        return 0
    if canary.traffic_routing is not None:
        routed = rollout.status.canary.weights
        return routed.canary.weight if routed else desired
    available = sum(
        view.replica_set.status.available_replicas
        for view in replica_sets
        if Role.CANARY in view.roles
    )
    return available * maximum // rollout.status.available_replicas
