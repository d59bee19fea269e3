"""How many pods of the old and of the new template there are to be (utils/replicaset/canary.go)."""

from collections.abc import Iterable
from math import ceil, floor

from rollgraph.simulation.controller.facts import MAX_WEIGHT, Facts
from rollgraph.simulation.manifests import Manifest, hash_of, status_of


def wanted(rs: Manifest) -> int:
    """Pods that a ReplicaSet is asked for."""
    return int(rs["spec"]["replicas"])


def actual(rs: Manifest) -> int:
    """Pods that it has."""
    return int(status_of(rs).get("replicas", 0))


def ready(rs: Manifest) -> int:
    """Pods of it that are ready."""
    return int(status_of(rs).get("readyReplicas", 0))


def available(rs: Manifest) -> int:
    """Pods of it that are available."""
    return int(status_of(rs).get("availableReplicas", 0))


def at_desired_counts(
    facts: Facts, new: Manifest, stable: Manifest | None, others: Iterable[Manifest]
) -> bool:
    """True when a canary's pods are as the current step asks."""
    others = list(others)
    new_count, stable_count = basic_canary(facts, new, stable, others)
    if not (new_count == wanted(new) == available(new)):
        return False
    if stable is None or not (stable_count == wanted(stable) == actual(stable)):
        return False
    return not any(available(other) for other in others)


def basic_canary(
    facts: Facts, new: Manifest, stable: Manifest | None, others: Iterable[Manifest]
) -> tuple[int, int]:
    """The next number of pods of the new and of the stable ReplicaSet, without a traffic router.

    Both move towards the weight, as far as surge and unavailability allow now.
    """
    replicas = facts.replicas
    goal_new, goal_stable = _split(replicas, facts.desired_weight, facts.max_surge)
    # Without a stable ReplicaSet, or when the new one is it, there is only one to fill.
    apart = stable is not None and stable["metadata"]["name"] != new["metadata"]["name"]
    if not apart:
        goal_new, goal_stable = replicas, 0
    new_count = wanted(new)
    stable_count = wanted(stable) if stable is not None and apart else 0
    most = replicas + facts.max_surge
    old_count = sum(map(wanted, others))
    room = most - old_count - new_count - stable_count
    if apart and stable_count < goal_stable and room > 0:
        grown = min(stable_count + room, goal_stable)
        room -= grown - stable_count
        stable_count = grown
    if new_count < goal_new and room > 0:
        new_count = min(new_count + room, goal_new)
    if old_count > 0:
        return new_count, stable_count
    least = replicas - facts.max_unavailable
    growing = goal_new >= wanted(new)
    spare = _countable(new, not growing) + _countable(stable, growing) - least
    if spare <= 0:
        return new_count, stable_count
    if not growing:
        new_count = _drained(new, goal_new, spare, new_count)
        return _within(new, stable, new_count, stable_count, most, least)
    if apart and stable is not None:
        stable_count = _drained(stable, goal_stable, spare, stable_count)
        stable_count, new_count = _within(stable, new, stable_count, new_count, most, least)
    return new_count, stable_count


def preview(facts: Facts, new: Manifest, every: Iterable[Manifest]) -> int:
    """The number of pods of a blue-green rollout's new ReplicaSet (NewRSNewReplicas)."""
    small = (facts.blue_green or {}).get("previewReplicaCount")
    active = by_hash(every, facts.active_selector)
    if small is None or active is None or hash_of(active) == hash_of(new) or facts.promote_full:
        return facts.replicas
    held = facts.paused or facts.pauses or hash_of(new) != facts.current_hash
    return facts.replicas if facts.checkpoint and not held else int(small)


def by_hash(every: Iterable[Manifest], pod_template_hash: str) -> Manifest | None:
    """The ReplicaSet with that hash."""
    if not pod_template_hash:
        return None
    return next((rs for rs in every if hash_of(rs) == pod_template_hash), None)


def _split(replicas: int, weight: int, surge: int) -> tuple[int, int]:
    """Canary and stable pods that come closest to a weight, with one pod more if that may be."""
    if replicas == 0:
        return 0, 0
    exact = replicas * weight / MAX_WEIGHT
    up, down = ceil(exact), floor(exact)
    # A weight between 0 and 100 always has a pod of either kind, if there can be two.
    zero_allowed = weight in (0, MAX_WEIGHT) or (replicas == 1 and surge == 0)
    options: list[tuple[int, int]] = []
    if up < replicas or zero_allowed:
        options.append((up, replicas))
    if not _tied(replicas, weight) and (down != 0 or zero_allowed):
        options.append((down, replicas))
    if surge > 0:
        options.append((up, replicas + 1))
        if not _tied(replicas + 1, weight) and (down != 0 or zero_allowed):
            options.append((down, replicas + 1))
    if not options:
        return 0, replicas
    canary, total = min(
        options, key=lambda option: abs(option[0] * MAX_WEIGHT / option[1] - weight)
    )
    return canary, total - canary


def _tied(total: int, weight: int) -> bool:
    return (total * (weight / MAX_WEIGHT)) % 1 == 0.5


def _countable(rs: Manifest | None, whether_available_or_not: bool) -> int:
    if rs is None:
        return 0
    if wanted(rs) < available(rs) or whether_available_or_not:
        return wanted(rs)
    return available(rs)


def _drained(rs: Manifest, goal: int, spare: int, count: int) -> int:
    return max(goal, wanted(rs) - spare) if wanted(rs) > goal else count


def _within(
    drain: Manifest,
    other: Manifest | None,
    drain_count: int,
    other_count: int,
    most: int,
    least: int,
) -> tuple[int, int]:
    """Both counts within the limits of surge and unavailability (adjustReplicaWithinLimits)."""
    over = max(0, other_count + drain_count - most)
    total = min(available(drain), drain_count)
    if other is not None:
        other_count -= over
        total += min(available(other), other_count)
        lost = max(0, available(other) - other_count)
        other_count += min(lost, max(0, least - total))
        over = max(0, other_count + drain_count - most)
        drain_count -= over
    return drain_count, other_count
