"""The store of one kind, and what each call says has changed."""

from typing import Any

import msgspec

from fakes.manifests import owned, owner, thing
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.spokes.store import Change, Delivery, Store


def pod(manifest: dict[str, Any]) -> KubeObject:
    return kube_object(Kind.POD, msgspec.json.encode(manifest))


def a(name: str, version: int | str = 1, **meta: Any) -> KubeObject:
    return pod(thing(name, version, **meta))


def deliveries(*objects: KubeObject) -> list[Delivery]:
    return [Delivery(obj) for obj in objects]


def test_putting_tells_what_changed() -> None:
    store: Store[KubeObject] = Store()
    first, second = a("p", 1), a("p", 2)
    assert store.put(first) == Change(None, first)
    assert store.put(second) == Change(first, second)
    assert list(store) == [second]


def test_the_same_state_again_changes_nothing() -> None:
    store: Store[KubeObject] = Store()
    store.put(a("p", 1, uid="u"))
    assert store.put(a("p", 1, uid="u")) is None
    # The same name and version but another object: its namespace was made anew from a backup.
    assert store.put(a("p", 1, uid="v")) is not None
    # Without versions there is nothing to tell states by.
    store.put(a("q", ""))
    assert store.put(a("q", "")) is not None


def test_deleting_what_is_not_there_changes_nothing() -> None:
    store: Store[KubeObject] = Store()
    assert store.delete(ObjectKey("default", "p")) is None
    store.put(a("p"))
    assert store.delete(ObjectKey("default", "p")) == Change(a("p"), None)
    assert len(store) == 0


def test_replacing_adds_updates_and_deletes() -> None:
    store: Store[KubeObject] = Store()
    for obj in (a("same", 1), a("newer", 2), a("gone", 3)):
        store.put(obj)
    changes = store.replace(deliveries(a("same", 1), a("newer", 4), a("fresh", 5)))
    assert changes == [
        Change(a("newer", 2), a("newer", 4)),
        Change(None, a("fresh", 5)),
        Change(a("gone", 3), None),
    ]


def test_replacing_offers_each_state_in_order() -> None:
    store: Store[KubeObject] = Store()
    given = [Delivery(a("p", 1)), Delivery(a("p", 2)), Delivery(a("p", 3), gone=True)]
    assert store.replace(given) == [
        Change(None, a("p", 1)),
        Change(a("p", 1), a("p", 2)),
        Change(a("p", 2), None),
    ]
    assert len(store) == 0


def test_replacing_one_namespace_leaves_the_others() -> None:
    store: Store[KubeObject] = Store()
    store.put(a("p", namespace="shop"))
    store.put(a("q", namespace="bank"))
    assert [change.key.name for change in store.replace([], "shop")] == ["p"]
    assert store.keys() == [ObjectKey("bank", "q")]
    assert store.keys("shop") == []


def test_objects_are_found_by_uid_and_owner() -> None:
    store: Store[KubeObject] = Store()
    mine = pod(owned("p", owner("ReplicaSet", "rs"), uid="u", resourceVersion="1"))
    store.put(mine)
    store.put(a("other"))
    rs = owner("ReplicaSet", "rs")["uid"]
    assert store.with_uid("u") == mine
    assert store.with_uid("unknown") is None
    assert store.owned_by(rs) == [mine]
    assert store.get(ObjectKey("default", "p")) == mine
    assert ObjectKey("default", "other") in store


def test_an_object_that_changes_hands_is_found_by_its_new_owner_only() -> None:
    store: Store[KubeObject] = Store()
    old, new = owner("ReplicaSet", "old"), owner("ReplicaSet", "new")
    store.put(pod(owned("p", old, uid="u", resourceVersion="1")))
    store.put(pod(owned("p", new, uid="u", resourceVersion="2")))
    assert store.owned_by(old["uid"]) == []
    assert len(store.owned_by(new["uid"])) == 1
    store.delete(ObjectKey("default", "p"))
    assert store.owned_by(new["uid"]) == []
    assert store.with_uid("u") is None
