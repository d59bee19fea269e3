"""What belongs to a rollout, and which rollout a change makes dirty."""

from typing import Any

import msgspec
import pytest

from fakes.manifests import owned, owner, rollout, thing
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.event import MAX_EVENTS
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.store import Change, Delivery

CHECKOUT = owner("Rollout", "checkout")


class Shop:
    """An inventory with one rollout and one of everything that it owns."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.inventory = Inventory(self._listen)
        self.add(Kind.ROLLOUT, rollout("checkout", workload="checkout"))
        self.add(Kind.REPLICA_SET, owned("checkout-1", CHECKOUT))
        self.add(Kind.POD, owned("checkout-1-a", owner("ReplicaSet", "checkout-1")))
        self.add(Kind.ANALYSIS_RUN, owned("checkout-run", CHECKOUT))
        self.add(Kind.EXPERIMENT, owned("checkout-exp", CHECKOUT))
        self.add(Kind.REPLICA_SET, owned("exp-rs", owner("Experiment", "checkout-exp")))
        self.add(Kind.POD, owned("exp-rs-a", owner("ReplicaSet", "exp-rs")))
        self.add(Kind.ANALYSIS_RUN, owned("exp-run", owner("Experiment", "checkout-exp")))
        self.add(Kind.DEPLOYMENT, thing("checkout"))
        self.taken()
        self.told.clear()

    def delivery(self, kind: Kind, manifest: dict[str, Any], *, gone: bool = False) -> Delivery:
        meta = manifest["metadata"]
        meta.setdefault("uid", f"{kind}-{meta['namespace']}-{meta['name']}")
        return Delivery(kube_object(kind, msgspec.json.encode(manifest)), gone=gone)

    def add(self, kind: Kind, manifest: dict[str, Any], *, gone: bool = False) -> None:
        self.inventory.apply(kind, self.delivery(kind, manifest, gone=gone))

    def taken(self) -> list[str]:
        keys = iter(self.inventory.dirty.take, None)
        return [key.name for key in keys]

    def _listen(self, kind: Kind, change: Change) -> None:
        self.told.append(f"{kind} {change.key.name}")


def test_belongings_are_everything_below_a_rollout() -> None:
    shop = Shop()
    shop.add(Kind.REPLICA_SET, owned("other-1", owner("Rollout", "other")))
    shop.add(Kind.POD, owned("other-1-a", owner("ReplicaSet", "other-1")))
    checkout = shop.inventory.rollouts.get(ObjectKey("default", "checkout"))
    assert checkout is not None
    mine = shop.inventory.belongings(checkout)
    assert [rs.metadata.name for rs in mine.replica_sets] == ["checkout-1", "exp-rs"]
    assert [pod.metadata.name for pod in mine.pods] == ["checkout-1-a", "exp-rs-a"]
    assert [run.metadata.name for run in mine.analysis_runs] == ["checkout-run", "exp-run"]
    assert [experiment.metadata.name for experiment in mine.experiments] == ["checkout-exp"]
    assert mine.workload is not None
    assert mine.workload.metadata.name == "checkout"


@pytest.mark.parametrize(
    ("kind", "manifest"),
    [
        (Kind.ROLLOUT, rollout("checkout", workload="checkout")),
        (Kind.REPLICA_SET, owned("checkout-1", CHECKOUT)),
        (Kind.POD, owned("checkout-1-a", owner("ReplicaSet", "checkout-1"))),
        (Kind.POD, owned("exp-rs-a", owner("ReplicaSet", "exp-rs"))),
        (Kind.ANALYSIS_RUN, owned("exp-run", owner("Experiment", "checkout-exp"))),
        (Kind.EXPERIMENT, owned("checkout-exp", CHECKOUT)),
        (Kind.DEPLOYMENT, thing("checkout")),
    ],
    ids=lambda part: str(part) if isinstance(part, Kind) else part["metadata"]["name"],
)
@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
def test_a_change_makes_the_rollout_above_dirty(
    kind: Kind, manifest: dict[str, Any], *, gone: bool
) -> None:
    shop = Shop()
    shop.add(kind, manifest, gone=gone)
    assert shop.taken() == ["checkout"]
    assert shop.told == [f"{kind} {manifest['metadata']['name']}"]


def test_what_nobody_owns_makes_nothing_dirty() -> None:
    shop = Shop()
    shop.add(Kind.POD, thing("stray"))
    shop.add(Kind.POD, owned("early", owner("ReplicaSet", "not-here-yet")))
    shop.add(Kind.DEPLOYMENT, thing("unrelated"))
    assert shop.taken() == []
    assert len(shop.told) == 3


def test_children_that_come_first_are_found_when_the_parent_comes() -> None:
    shop = Shop()
    shop.add(Kind.POD, owned("late-1-a", owner("ReplicaSet", "late-1")))
    shop.add(Kind.REPLICA_SET, owned("late-1", owner("Rollout", "late")))
    shop.add(Kind.ROLLOUT, rollout("late"))
    assert shop.taken() == ["late"]
    late = shop.inventory.rollouts.get(ObjectKey("default", "late"))
    assert late is not None
    assert len(shop.inventory.belongings(late).pods) == 1


def test_a_change_of_hands_makes_both_rollouts_dirty() -> None:
    shop = Shop()
    shop.add(Kind.ROLLOUT, rollout("other"))
    shop.taken()
    shop.add(Kind.REPLICA_SET, owned("checkout-1", owner("Rollout", "other")))
    assert shop.taken() == ["checkout", "other"]


def test_deployments_are_needed_while_a_rollout_names_one() -> None:
    shop = Shop()
    assert shop.inventory.needs_deployments
    shop.add(Kind.ROLLOUT, rollout("checkout"))
    assert not shop.inventory.needs_deployments
    shop.add(Kind.ROLLOUT, rollout("second", workload="shared"))
    shop.add(Kind.ROLLOUT, rollout("third", workload="shared"))
    shop.taken()
    shop.add(Kind.DEPLOYMENT, thing("shared"))
    assert shop.taken() == ["second", "third"]
    shop.add(Kind.ROLLOUT, rollout("second", workload="shared"), gone=True)
    assert shop.inventory.needs_deployments
    shop.add(Kind.ROLLOUT, rollout("third", workload="shared"), gone=True)
    assert not shop.inventory.needs_deployments


def test_a_workload_that_is_no_deployment_is_not_looked_for() -> None:
    shop = Shop()
    manifest = rollout("fourth", workload="x")
    manifest["spec"]["workloadRef"]["kind"] = "ReplicaSet"
    shop.add(Kind.ROLLOUT, manifest)
    fourth = shop.inventory.rollouts.get(ObjectKey("default", "fourth"))
    assert fourth is not None
    assert shop.inventory.belongings(fourth).workload is None


def test_a_full_list_makes_dirty_only_what_it_changes() -> None:
    shop = Shop()
    same = shop.delivery(Kind.ROLLOUT, rollout("checkout", workload="checkout"))
    shop.inventory.replace(Kind.ROLLOUT, [same, shop.delivery(Kind.ROLLOUT, rollout("new"))])
    assert "new" in shop.taken()
    shop.inventory.replace(Kind.ROLLOUT, [])
    assert shop.taken() == ["checkout", "new"]
    assert shop.inventory.count(Kind.ROLLOUT) == 0
    assert shop.inventory.count(Kind.POD, "default") == 2


def test_of_many_events_about_a_rollout_the_newest_are_kept() -> None:
    shop = Shop()
    about = {"kind": "Rollout", "name": "checkout", "uid": "Rollout-default-checkout"}
    for number in range(MAX_EVENTS + 10):
        event = thing(f"event-{number:02}") | {
            "involvedObject": about,
            "lastTimestamp": f"2026-05-12T09:{number:02}:00Z",
        }
        shop.add(Kind.EVENT, event)
    checkout = shop.inventory.rollouts.get(ObjectKey("default", "checkout"))
    assert checkout is not None
    names = [event.metadata.name for event in shop.inventory.belongings(checkout).events]
    assert names == [f"event-{number:02}" for number in range(10, MAX_EVENTS + 10)]
    assert shop.inventory.count(Kind.EVENT) == MAX_EVENTS
    assert shop.taken() == ["checkout"]
