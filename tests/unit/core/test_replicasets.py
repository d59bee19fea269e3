"""A rollout's ReplicaSets: which part each plays, how it fares, its pods, and their order."""

from datetime import UTC, datetime

import pytest

from rollgraph.core.objects.meta import EPOCH
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import Pod, ReplicaSet
from rollgraph.core.replicasets import (
    ContainerImage,
    ReplicaSetHealth,
    ReplicaSetView,
    Role,
    created,
    replica_set_views,
    roles,
)
from samples import Patch, family, pod, replica_set, rollout

CHECKOUT = rollout("canary-updating")


def _views(*replica_sets: ReplicaSet, pods: tuple[Pod, ...] = ()) -> tuple[ReplicaSetView, ...]:
    return replica_set_views(CHECKOUT.metadata.uid, CHECKOUT, replica_sets, pods)


def _view(patch: Patch | None = None) -> ReplicaSetView:
    (view,) = _views(replica_set("canary", patch))
    return view


STABLE, CANARY, OTHER = "6d9f8b7c55", "7f4c5d9b8d", "other"


@pytest.mark.parametrize(
    ("pod_template_hash", "expected"),
    [(STABLE, (Role.STABLE,)), (CANARY, (Role.CANARY,)), (OTHER, (Role.OLD,))],
    ids=["stable", "canary", "old"],
)
def test_a_canarys_replica_sets_are_stable_canary_or_old(
    pod_template_hash: str, expected: tuple[Role, ...]
) -> None:
    assert roles(CHECKOUT, pod_template_hash) == expected


def test_once_promoted_the_canary_is_the_stable_one() -> None:
    assert roles(rollout("canary-healthy"), STABLE) == (Role.STABLE,)


@pytest.mark.parametrize(
    ("stable_is", "pod_template_hash", "expected"),
    [
        ("ping", STABLE, (Role.STABLE, Role.PING)),
        ("ping", CANARY, (Role.CANARY, Role.PONG)),
        ("pong", STABLE, (Role.STABLE, Role.PONG)),
        ("pong", CANARY, (Role.CANARY, Role.PING)),
        pytest.param("", STABLE, (Role.STABLE, Role.PONG), id="unset-counts-as-pong"),
        ("ping", OTHER, (Role.OLD,)),
    ],
)
def test_with_ping_pong_the_two_take_turns(
    stable_is: str, pod_template_hash: str, expected: tuple[Role, ...]
) -> None:
    patch: Patch = {
        "spec": {"strategy": {"canary": {"pingPong": {"pingService": "a", "pongService": "b"}}}},
        "status": {"canary": {"stablePingPong": stable_is}},
    }
    assert roles(rollout("canary-updating", patch), pod_template_hash) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({}, (Role.OLD,), id="old"),
        pytest.param({"stableRS": "x"}, (Role.STABLE,), id="stable-only"),
        pytest.param({"blueGreen": {"activeSelector": "x"}}, (Role.ACTIVE,), id="active-only"),
        pytest.param({"blueGreen": {"previewSelector": "x"}}, (Role.PREVIEW,), id="preview"),
        pytest.param(
            {"stableRS": "x", "blueGreen": {"activeSelector": "x"}},
            (Role.STABLE, Role.ACTIVE),
            id="stable-and-active",
        ),
        pytest.param(
            {"stableRS": "x", "blueGreen": {"activeSelector": "x", "previewSelector": "x"}},
            (Role.STABLE, Role.ACTIVE),
            id="active-beats-preview",
        ),
        pytest.param(
            {"stableRS": "x", "blueGreen": {"previewSelector": "x"}},
            (Role.STABLE, Role.PREVIEW),
            id="stable-in-preview",
        ),
    ],
)
def test_a_blue_greens_replica_sets(status: Patch, expected: tuple[Role, ...]) -> None:
    assert roles(rollout("blue-green-paused", {"status": status}), "x") == expected


def test_without_a_strategy_every_replica_set_is_old() -> None:
    assert roles(rollout("canary-updating", {"spec": {"strategy": None}}), STABLE) == (Role.OLD,)


def test_an_experiments_replica_sets_have_its_template_for_a_name() -> None:
    _, own = family("canary-at-20-percent")
    (view,) = replica_set_views("ex-1", None, own.replica_sets, own.pods)
    assert (view.roles, view.template) == ((Role.EXPERIMENT,), "candidate")
    assert [item.pod.metadata.uid for item in view.pods] == ["pod-candidate"]


@pytest.mark.parametrize(
    ("patch", "health"),
    [
        pytest.param({}, ReplicaSetHealth.HEALTHY, id="healthy"),
        pytest.param(
            {"metadata": {"generation": 4}}, ReplicaSetHealth.PROGRESSING, id="unobserved"
        ),
        pytest.param({"spec": {"replicas": 2}}, ReplicaSetHealth.PROGRESSING, id="one-missing"),
        pytest.param({"spec": {"replicas": 0}}, ReplicaSetHealth.SCALED_DOWN, id="scaled-down"),
        pytest.param({"spec": {"replicas": None}}, ReplicaSetHealth.HEALTHY, id="no-size"),
        pytest.param(
            {"status": {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}},
            ReplicaSetHealth.REPLICA_FAILURE,
            id="failure",
        ),
        pytest.param(
            {"status": {"conditions": [{"type": "ReplicaFailure", "status": "False"}]}},
            ReplicaSetHealth.HEALTHY,
            id="failure-over",
        ),
        pytest.param(
            {
                "metadata": {"generation": 4},
                "status": {"conditions": [{"type": "ReplicaFailure", "status": "True"}]},
            },
            ReplicaSetHealth.PROGRESSING,
            id="failure-of-an-earlier-generation",
        ),
        pytest.param(
            {
                "spec": {"replicas": 0},
                "status": {"conditions": [{"type": "ReplicaFailure", "status": "True"}]},
            },
            ReplicaSetHealth.REPLICA_FAILURE,
            id="failure-while-scaled-down",
        ),
    ],
)
def test_health(patch: Patch, health: ReplicaSetHealth) -> None:
    assert _view(patch).health is health


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("2026-05-12T14:30:00Z", datetime(2026, 5, 12, 14, 30, tzinfo=UTC)),
        ("2026-05-12T16:30:00+02:00", datetime(2026, 5, 12, 14, 30, tzinfo=UTC)),
        pytest.param("2026-05-12T14:30:00", None, id="without-zone"),
        pytest.param("soon", None, id="text"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a_scale_down_deadline_is_a_time_or_none(text: str, deadline: datetime | None) -> None:
    view = _view({"metadata": {"annotations": {"scale-down-deadline": text}}})
    assert view.scale_down_deadline == deadline


def test_images_are_the_containers_first() -> None:
    assert _view().images == (
        ContainerImage("web", "registry.example/shop/checkout:1.9.0"),
        ContainerImage("migrate", "registry.example/shop/migrate:12", init=True),
    )


def _named(name: str, revision: str) -> ReplicaSet:
    annotations = {"rollout.argoproj.io/revision": revision}
    return replica_set("canary", {"metadata": {"name": name, "annotations": annotations}})


def test_the_newest_revision_comes_first_and_names_break_ties() -> None:
    views = _views(_named("b", "2"), _named("a", "2"), _named("c", "10"), _named("d", ""))
    assert [view.replica_set.metadata.name for view in views] == ["c", "a", "b", "d"]
    assert [view.revision for view in views] == [10, 2, 2, 0]


def test_replica_sets_of_other_owners_are_left_out() -> None:
    owners: Patch = {"metadata": {"ownerReferences": [{"uid": "someone-else"}]}}
    assert _views(replica_set("canary", owners)) == ()
    assert _views(replica_set("canary", {"metadata": {"ownerReferences": None}})) == ()


def _pod(name: str, at: str | None, owners: list[Patch] | None = None) -> Pod:
    metadata: Patch = {"name": name, "creationTimestamp": at}
    return pod("running", {"metadata": metadata | ({"ownerReferences": owners} if owners else {})})


def test_pods_are_the_oldest_first_and_names_break_ties() -> None:
    pods = (
        _pod("late", "2026-05-12T09:05:00Z"),
        _pod("b", "2026-05-12T09:00:00Z"),
        _pod("a", "2026-05-12T09:00:00Z"),
        _pod("timeless", None),
        _pod("foreign", "2026-05-12T09:00:00Z", [{"uid": "rs-other"}]),
        _pod("twice", "2026-05-12T10:00:00Z", [{"uid": "rs-7f4c5d9b8d"}, {"uid": "rs-7f4c5d9b8d"}]),
    )
    (view,) = _views(replica_set("canary"), pods=pods)
    names = [item.pod.metadata.name for item in view.pods]
    assert names == ["timeless", "a", "b", "late", "twice"]


@pytest.mark.parametrize("at", [rollout("canary-healthy"), CHECKOUT], ids=["healthy", "updating"])
def test_created_is_the_creation_time(at: Rollout) -> None:
    assert created(at) == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_an_object_that_does_not_say_when_it_was_created_sorts_first() -> None:
    assert created(rollout("canary-healthy", {"metadata": {"creationTimestamp": None}})) == EPOCH
