"""A rollout's ReplicaSets: which part each plays, how it fares, and its pods."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from rollgraph.core.objects.meta import EPOCH, KubeObject, PodTemplate, Time
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import (
    EXPERIMENT_TEMPLATE_ANNOTATION,
    SCALE_DOWN_DEADLINE_ANNOTATION,
    Pod,
    ReplicaSet,
)
from rollgraph.core.pods import PodView, pod_view


class Role(StrEnum):
    """The part that a ReplicaSet plays. OLD: none of the others, an earlier revision."""

    STABLE = "stable"
    CANARY = "canary"
    ACTIVE = "active"
    PREVIEW = "preview"
    PING = "ping"
    PONG = "pong"
    EXPERIMENT = "experiment"
    OLD = "old"


class ReplicaSetHealth(StrEnum):
    """How a ReplicaSet fares, in the kubectl plugin's words."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    SCALED_DOWN = "ScaledDown"
    REPLICA_FAILURE = "ReplicaFailure"


class ContainerImage(msgspec.Struct, frozen=True, gc=False):
    """The image of one container of a template."""

    container: str
    image: str
    init: bool = False


class ReplicaSetView(msgspec.Struct, frozen=True, gc=False):
    """A ReplicaSet with its roles, health and pods (oldest first).

    Attributes:
        revision: The rollout's revision that it runs; 0 if unknown.
        template: The experiment's template that it runs, or "".
        scale_down_deadline: When the controller will scale it down, if that is planned.
    """

    replica_set: ReplicaSet
    roles: tuple[Role, ...]
    health: ReplicaSetHealth
    revision: int
    images: tuple[ContainerImage, ...]
    pods: tuple[PodView, ...] = ()
    template: str = ""
    scale_down_deadline: datetime | None = None


def replica_set_views(
    owner_uid: str, rollout: Rollout | None, replica_sets: Iterable[ReplicaSet], pods: Iterable[Pod]
) -> tuple[ReplicaSetView, ...]:
    """The ReplicaSets of one owner, newest revision first.

    Args:
        owner_uid: The rollout's or experiment's UID.
        rollout: The rollout that gives them roles; None for an experiment's.
        replica_sets: Candidates; those of other owners are left out.
        pods: Candidates; each goes to the ReplicaSet that owns it.
    """
    by_owner: dict[str, list[Pod]] = {}
    for pod in pods:
        for uid in set(pod.metadata.owner_uids):
            by_owner.setdefault(uid, []).append(pod)
    views = [
        _view(rs, rollout, by_owner.get(rs.metadata.uid, []))
        for rs in replica_sets
        if owner_uid in rs.metadata.owner_uids
    ]
    return tuple(sorted(views, key=lambda v: (-v.revision, v.replica_set.metadata.name)))


def images(template: PodTemplate) -> tuple[ContainerImage, ...]:
    """The images of a pod template: containers first, then init containers."""
    main = [ContainerImage(c.name, c.image) for c in template.spec.containers or ()]
    init = [ContainerImage(c.name, c.image, init=True) for c in template.spec.init_containers or ()]
    return (*main, *init)


def created(item: KubeObject) -> datetime:
    """When an object was created; the epoch if it does not say, so that it sorts first."""
    return item.metadata.creation_timestamp or EPOCH


def roles(rollout: Rollout, pod_template_hash: str) -> tuple[Role, ...]:
    """The parts that the ReplicaSet with this hash plays in a rollout."""
    strategy = rollout.spec.strategy
    found: tuple[Role, ...] = ()
    if strategy.canary is not None:
        found = _canary_roles(rollout, pod_template_hash)
    elif strategy.blue_green is not None:
        found = _blue_green_roles(rollout, pod_template_hash)
    return found or (Role.OLD,)


def _view(rs: ReplicaSet, rollout: Rollout | None, pods: list[Pod]) -> ReplicaSetView:
    pods.sort(key=lambda pod: (created(pod), pod.metadata.name))
    return ReplicaSetView(
        replica_set=rs,
        roles=roles(rollout, rs.pod_template_hash) if rollout else (Role.EXPERIMENT,),
        health=_health(rs),
        revision=rs.metadata.revision,
        images=images(rs.spec.template),
        pods=tuple(pod_view(pod) for pod in pods),
        template=rs.metadata.annotation(EXPERIMENT_TEMPLATE_ANNOTATION),
        scale_down_deadline=_deadline(rs.metadata.annotation(SCALE_DOWN_DEADLINE_ANNOTATION)),
    )


def _canary_roles(rollout: Rollout, pod_template_hash: str) -> tuple[Role, ...]:
    status = rollout.status
    stable_is_ping = status.canary.stable_ping_pong == "ping"
    if pod_template_hash == status.stable_rs:
        return (Role.STABLE, *_ping_pong(rollout, stable_is_ping))
    if pod_template_hash == status.current_pod_hash:
        return (Role.CANARY, *_ping_pong(rollout, not stable_is_ping))
    return ()


def _ping_pong(rollout: Rollout, is_ping: bool) -> tuple[Role, ...]:
    canary = rollout.spec.strategy.canary
    if canary is None or canary.ping_pong is None:
        return ()
    return (Role.PING,) if is_ping else (Role.PONG,)


def _blue_green_roles(rollout: Rollout, pod_template_hash: str) -> tuple[Role, ...]:
    status = rollout.status
    stable = (Role.STABLE,) if pod_template_hash == status.stable_rs else ()
    if pod_template_hash == status.blue_green.active_selector:
        return (*stable, Role.ACTIVE)
    if pod_template_hash == status.blue_green.preview_selector:
        return (*stable, Role.PREVIEW)
    return stable


def _health(rs: ReplicaSet) -> ReplicaSetHealth:
    if rs.metadata.generation > rs.status.observed_generation:
        return ReplicaSetHealth.PROGRESSING
    if any(c.type == "ReplicaFailure" and c.status == "True" for c in rs.status.conditions or ()):
        return ReplicaSetHealth.REPLICA_FAILURE
    if rs.spec.replicas is not None and rs.status.available_replicas < rs.spec.replicas:
        return ReplicaSetHealth.PROGRESSING
    return ReplicaSetHealth.SCALED_DOWN if rs.spec.replicas == 0 else ReplicaSetHealth.HEALTHY


def _deadline(text: str) -> datetime | None:
    try:
        return msgspec.convert(text, Time) if text else None
    except msgspec.ValidationError:
        return None
