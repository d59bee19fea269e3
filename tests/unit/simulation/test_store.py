"""The store keeps versions, generations, owners and a bounded history, as an API server does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from rollgraph.simulation.manifests import Manifest, with_meta
from rollgraph.simulation.problems import ApiError
from rollgraph.simulation.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    numbers: Iterator[int] = count(1)
    return Store(lambda: next(numbers).to_bytes(16), history=3)


def rollout(name: str = "r", **spec: object) -> Manifest:
    return {"kind": "Rollout", "metadata": {"name": name, "namespace": "n"}, "spec": spec}


def times(manifest: Manifest) -> dict[tuple[str, str], str]:
    entries = manifest["metadata"]["managedFields"]
    return {(entry["manager"], entry.get("subresource", "")): entry["time"] for entry in entries}


def test_each_change_has_a_version_of_its_own(store: Store) -> None:
    first = store.create(rollout(), NOW, "a")
    second = store.write({**first, "spec": {"paused": True}}, NOW, "a")
    versions = [int(item["metadata"]["resourceVersion"]) for item in (first, second)]
    assert versions[0] < versions[1] == store.version
    assert second["metadata"]["uid"] == first["metadata"]["uid"]


def test_a_write_that_changes_nothing_is_none(store: Store) -> None:
    made = store.create(rollout(), NOW, "a")
    assert store.write(made, LATER, "b") is made
    assert len(store.changes("Rollout", 0)) == 1


def test_a_write_on_an_older_version_is_refused(store: Store) -> None:
    made = store.create(rollout(), NOW, "a")
    store.write({**made, "spec": {"paused": True}}, NOW, "a")
    with pytest.raises(ApiError) as caught:
        store.write({**made, "spec": {"paused": False}}, NOW, "a")
    assert caught.value.code == 409


def test_a_status_is_no_generation(store: Store) -> None:
    made = store.create(rollout(), NOW, "a")
    after = store.write({**made, "status": {"phase": "Healthy"}}, NOW, "a")
    assert after["metadata"]["generation"] == 1
    assert store.write({**after, "spec": {"x": 1}}, NOW, "a")["metadata"]["generation"] == 2


def test_it_is_noted_who_wrote_which_part_when(store: Store) -> None:
    made = store.create(rollout(), NOW, "helm")
    after = store.write({**made, "status": {"phase": "Healthy"}}, LATER, "controller")
    assert times(after) == {
        ("helm", ""): "2026-01-01T00:00:00Z",
        ("controller", "status"): "2026-01-01T00:01:00Z",
    }


def test_what_is_owned_goes_with_its_owner(store: Store) -> None:
    owner = store.create(rollout(), NOW, "a")
    reference = {"kind": "Rollout", "name": "r", "uid": owner["metadata"]["uid"]}
    owned = {"kind": "ReplicaSet", "metadata": {"name": "rs", "namespace": "n"}, "spec": {}}
    rs = store.create(with_meta(owned, ownerReferences=[reference]), NOW, "a")
    reference = {"kind": "ReplicaSet", "name": "rs", "uid": rs["metadata"]["uid"]}
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": {}}
    store.create(with_meta(pod, ownerReferences=[reference]), NOW, "a")
    assert [item["kind"] for item in store.owned(owner["metadata"]["uid"])] == ["ReplicaSet"]
    store.delete("Rollout", "n", "r")
    assert store.items("ReplicaSet") == store.items("Pod") == []


def test_history_is_forgotten_and_says_so(store: Store) -> None:
    for number in range(5):
        store.create(rollout(f"r{number}"), NOW, "a")
    assert [c.object["metadata"]["name"] for c in store.changes("Rollout", 3)] == ["r2", "r3", "r4"]
    with pytest.raises(ApiError) as caught:
        store.changes("Rollout", 2)
    assert caught.value.code == 410
    # Other kinds have not changed, so nothing of them is forgotten.
    assert store.changes("Pod", 0) == []


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(ApiError, match=r'rollouts\.argoproj\.io "r" not found'):
        store.delete("Rollout", "n", "r")
