"""The revision tree, and who serves what."""

import pytest

from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.replicasets import Role
from rollgraph.core.revisions import Revision
from rollgraph.core.view import build_view
from samples import Patch, family, replica_set, rollout


def test_revisions_are_those_that_any_object_names_newest_first() -> None:
    view = build_view("east", *family("canary-at-20-percent"))
    assert [revision.number for revision in view.revisions] == [5, 4, 3]
    newest = view.revisions[0]
    assert newest.replica_set is not None
    assert newest.replica_set.replica_set.metadata.uid == "rs-canary"
    assert newest.roles == (Role.CANARY,)
    assert [e.experiment.metadata.uid for e in newest.experiments] == ["ex-1"]
    assert [r.run.metadata.uid for r in newest.analysis_runs] == ["ar-background", "ar-step"]
    assert [revision.roles for revision in view.revisions[1:]] == [(Role.STABLE,), (Role.OLD,)]


def test_a_revision_outlives_its_replica_set() -> None:
    root, own = family("canary-at-20-percent")
    bare = Belongings(analysis_runs=own.analysis_runs)
    (revision,) = build_view("east", root, bare).revisions
    assert (revision.number, revision.replica_set, revision.roles) == (5, None, ())


def test_roles_of_two_replica_sets_of_one_revision_are_named_once() -> None:
    root = rollout("canary-updating")
    twins = [replica_set("canary"), replica_set("canary", {"metadata": {"name": "twin"}})]
    (revision,) = build_view("east", root, Belongings(replica_sets=twins)).revisions
    assert revision.roles == (Role.CANARY,)
    assert len(revision.replica_sets) == 2


def test_a_rollout_without_anything_has_no_revisions() -> None:
    view = build_view("east", rollout("canary-healthy"), Belongings())
    assert (view.revisions, view.split) == ((), ())
    assert Revision(1).replica_set is None


def _split(root: Rollout, own: Belongings) -> list[tuple[str, int | None, str, int, int]]:
    return [
        (
            part.replica_set.replica_set.metadata.uid,
            part.weight,
            part.service,
            part.pods,
            part.available,
        )
        for part in build_view("east", root, own).split
    ]


def test_without_a_router_a_slice_weighs_its_share_of_the_pods() -> None:
    assert _split(*family("canary-at-20-percent")) == [
        ("rs-canary", 20, "checkout-canary", 1, 1),
        ("rs-stable", 80, "checkout", 4, 4),
        ("rs-candidate", None, "", 1, 1),
    ]


def test_without_available_pods_no_slice_weighs_anything() -> None:
    root, own = family("canary-at-20-percent", {"status": {"availableReplicas": 0}})
    assert [weight for _, weight, *_ in _split(root, own)] == [0, 0, None]


def test_an_earlier_revision_is_a_slice_only_while_it_has_pods() -> None:
    root, own = family("canary-at-20-percent")
    old = replica_set(
        "canary",
        {
            "metadata": {
                "uid": "rs-older",
                "labels": {"rollouts-pod-template-hash": "other"},
                "annotations": {"rollout.argoproj.io/revision": "2"},
                "ownerReferences": [{"uid": "ro-checkout"}],
            }
        },
    )
    more = Belongings(replica_sets=[*own.replica_sets, old])
    assert _split(root, more)[-1] == ("rs-older", 20, "", 1, 1)


ROUTED: Patch = {
    "spec": {"strategy": {"canary": {"trafficRouting": {"istio": {}}}}},
    "status": {
        "canary": {
            "weights": {
                "canary": {"weight": 10},
                "stable": {"weight": 85},
                "additional": [
                    {"weight": 5, "serviceName": "trial", "podTemplateHash": "9c8b7d6f55"}
                ],
            }
        }
    },
}


def test_a_router_tells_every_slices_weight_also_an_experiments() -> None:
    assert _split(*family("canary-at-20-percent", ROUTED)) == [
        ("rs-canary", 10, "checkout-canary", 1, 1),
        ("rs-stable", 85, "checkout", 4, 4),
        ("rs-candidate", 5, "trial", 1, 1),
    ]


def test_a_router_sends_nothing_to_an_earlier_revision() -> None:
    root, own = family("canary-at-20-percent", ROUTED)
    pods: Patch = {
        "metadata": {
            "labels": {"rollouts-pod-template-hash": "other"},
            "ownerReferences": [{"uid": "ro-checkout"}],
        }
    }
    assert _split(root, Belongings(replica_sets=[replica_set("canary", pods)]))[0][1] == 0
    assert [weight for _, weight, *_ in _split(root, own)] == [10, 85, 5]


def test_an_experiments_replica_set_without_pods_is_no_slice() -> None:
    root, own = family("canary-at-20-percent")
    empty: Patch = {
        "metadata": {"ownerReferences": [{"uid": "ex-1"}]},
        "status": {"replicas": 0},
    }
    bare = Belongings(replica_sets=[replica_set("canary", empty)], experiments=own.experiments)
    assert _split(root, bare) == []


def test_an_experiments_slice_names_the_experiment() -> None:
    view = build_view("east", *family("canary-at-20-percent"))
    names = [part.experiment for part in view.split]
    assert names == ["", "", "checkout-7f4c5d9b8d-5-2"]


@pytest.mark.parametrize(
    ("stable_is", "services"),
    [("ping", ["b-svc", "a-svc"]), ("pong", ["a-svc", "b-svc"])],
)
def test_with_ping_pong_the_services_take_turns(stable_is: str, services: list[str]) -> None:
    patch: Patch = {
        "spec": {
            "strategy": {"canary": {"pingPong": {"pingService": "a-svc", "pongService": "b-svc"}}}
        },
        "status": {"canary": {"stablePingPong": stable_is}},
    }
    parts = _split(*family("canary-at-20-percent", patch))
    assert [service for _, _, service, *_ in parts[:2]] == services


def test_with_ping_pong_an_earlier_revision_has_no_service() -> None:
    patch: Patch = {"spec": {"strategy": {"canary": {"pingPong": {}}}}}
    root, own = family("canary-at-20-percent", patch)
    old: Patch = {
        "metadata": {
            "labels": {"rollouts-pod-template-hash": "other"},
            "ownerReferences": [{"uid": "ro-checkout"}],
        }
    }
    more = Belongings(replica_sets=[*own.replica_sets, replica_set("canary", old)])
    assert {service for _, _, service, *_ in _split(root, more)} == {""}


def test_a_blue_greens_traffic_is_all_with_the_active_one() -> None:
    assert _split(*family("blue-green-preview")) == [
        ("rs-preview", 0, "ledger-preview", 2, 1),
        ("rs-active", 100, "ledger", 2, 2),
        ("rs-old", 0, "", 1, 1),
    ]


def test_without_a_known_strategy_weights_and_services_are_unknown() -> None:
    root, own = family("blue-green-preview", {"spec": {"strategy": {"blueGreen": None}}})
    assert {(weight, service) for _, weight, service, *_ in _split(root, own)} == {(None, "")}
