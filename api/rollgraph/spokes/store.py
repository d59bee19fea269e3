"""The objects of one kind of one spoke, in memory."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, cast

import msgspec

from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.refs import ObjectKey

ObjectT = TypeVar("ObjectT", bound=KubeObject)


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One object as the API server sent it, in its place in the order of deliveries.

    Attributes:
        object: The object; of one that is `gone`, its last state.
        gone: True if it no longer exists.
    """

    object: KubeObject
    gone: bool = False

    @property
    def key(self) -> ObjectKey:
        """The object's place."""
        return key_of(self.object)


class Change(msgspec.Struct, frozen=True, gc=False):
    """What one delivery changed: from `old` to `new`, None being "does not exist"."""

    old: KubeObject | None
    new: KubeObject | None

    @property
    def object(self) -> KubeObject:
        """The object after the change, or its last state."""
        found = self.new if self.new is not None else self.old
        assert found is not None, "a change from nothing to nothing"
        return found

    @property
    def key(self) -> ObjectKey:
        """The object's place."""
        return key_of(self.object)


class Store(Generic[ObjectT]):
    """Objects by key, by uid and by the uids of their owners.

    All is done by one thread without awaiting, so each call is atomic.
    """

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, ObjectT] = {}
        self._by_uid: dict[str, ObjectKey] = {}
        # Values are dicts for their order: the same events give the same view, in any process.
        self._by_owner: dict[str, dict[ObjectKey, None]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._objects

    def __iter__(self) -> Iterator[ObjectT]:
        return iter(self._objects.values())

    def get(self, key: ObjectKey) -> ObjectT | None:
        """The object at a place."""
        return self._objects.get(key)

    def with_uid(self, uid: str) -> ObjectT | None:
        """The object with a uid."""
        key = self._by_uid.get(uid)
        return None if key is None else self._objects.get(key)

    def owned_by(self, uid: str) -> list[ObjectT]:
        """Every object that names `uid` as an owner, oldest delivery first."""
        return [self._objects[key] for key in self._by_owner.get(uid, ())]

    def keys(self, namespace: str = "") -> list[ObjectKey]:
        """The places of all objects, or of those in one namespace."""
        if not namespace:
            return list(self._objects)
        return [key for key in self._objects if key.namespace == namespace]

    def put(self, new: ObjectT) -> Change | None:
        """Adds or updates an object; None if that is what is held already."""
        key = key_of(new)
        old = self._objects.get(key)
        if old is not None and _same(old, new):
            return None
        self._objects[key] = new
        if old is None or _links(old) != _links(new):
            if old is not None:
                self._unindex(key, old)
            self._index(key, new)
        return Change(old, new)

    def delete(self, key: ObjectKey) -> Change | None:
        """Removes an object; None if there was none."""
        old = self._objects.pop(key, None)
        if old is None:
            return None
        self._unindex(key, old)
        return Change(old, None)

    def replace(self, deliveries: Iterable[Delivery], namespace: str = "") -> list[Change]:
        """Makes what was delivered all there is, or all there is in one namespace.

        What is missing from it is deleted. An object may occur with several states: each is a
        change of its own, in order. Returns only what changed.
        """
        missing = dict.fromkeys(self.keys(namespace))
        changes = []
        for delivery in deliveries:
            missing.pop(delivery.key, None)
            changes.append(self.apply(delivery))
        changes += [self.delete(key) for key in missing]
        return [change for change in changes if change is not None]

    def apply(self, delivery: Delivery) -> Change | None:
        """Puts or deletes what was delivered; None if that changes nothing."""
        if delivery.gone:
            return self.delete(delivery.key)
        # The decoder that made the object was chosen by the kind that this store is for.
        return self.put(cast("ObjectT", delivery.object))

    def _index(self, key: ObjectKey, new: ObjectT) -> None:
        if new.metadata.uid:
            self._by_uid[new.metadata.uid] = key
        for uid in new.metadata.owner_uids:
            self._by_owner.setdefault(uid, {})[key] = None

    def _unindex(self, key: ObjectKey, old: ObjectT) -> None:
        self._by_uid.pop(old.metadata.uid, None)
        for uid in old.metadata.owner_uids:
            keys = self._by_owner.get(uid)
            if keys is not None:
                keys.pop(key, None)
                if not keys:
                    del self._by_owner[uid]


def key_of(obj: KubeObject) -> ObjectKey:
    """An object's place."""
    return ObjectKey(obj.metadata.namespace, obj.metadata.name)


def _links(obj: KubeObject) -> tuple[str, ...]:
    """All that the indexes know of an object; it seldom changes."""
    return (obj.metadata.uid, *obj.metadata.owner_uids)


def _same(old: KubeObject, new: KubeObject) -> bool:
    """True for the same state delivered again, as each relist does for most objects."""
    a, b = old.metadata, new.metadata
    return bool(a.resource_version) and (a.uid, a.resource_version) == (b.uid, b.resource_version)
