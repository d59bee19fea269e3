"""The objects of one simulated cluster, with versions and a bounded history.

Knows no HTTP, no time of its own and no event loop. Whoever holds a manifest of it must not change
it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from rollgraph.simulation import problems
from rollgraph.simulation.manifests import (
    Manifest,
    name_of,
    namespace_of,
    stamp,
    uid_of,
    with_meta,
)
from rollgraph.simulation.resources import BY_KIND

ChangeType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
Key: TypeAlias = tuple[str, str]  # namespace and name

# Changes of one kind that can be watched from again. kube-apiserver's cache begins with 100 and
# grows with the load; a client that was away for longer than these reads a new list.
HISTORY = 4096

_encode = msgspec.json.Encoder().encode


class Change:
    """One change of one object.

    Attributes:
        before: What it was; None for a new object.
        object: What it is now; for a deleted one what it was, with the version of its end.
    """

    __slots__ = ("_encoded", "before", "object", "type", "version")

    def __init__(
        self, version: int, type_: ChangeType, object_: Manifest, before: Manifest | None
    ) -> None:
        self.version = version
        self.type = type_
        self.object = object_
        self.before = before
        self._encoded = b""

    def encoded(self) -> bytes:
        """The object as JSON; made once, and only if somebody watches."""
        if not self._encoded:
            self._encoded = _encode(self.object)
        return self._encoded


@dataclass
class _Shelf:
    """All objects of one kind."""

    objects: dict[Key, Manifest]
    history: deque[Change]
    forgotten: int = 0


class Store:
    """Objects by kind, namespace and name.

    Args:
        identities: Gives 16 random bytes for each UID.
        history: Changes of each kind that are remembered.

    Attributes:
        version: The last version that was given; each change has one of its own.
        listeners: Called after each change, with its kind.
    """

    def __init__(self, identities: Callable[[], bytes], history: int = HISTORY) -> None:
        self._history = history
        self.version = 1
        self.listeners: list[Callable[[str, Change], None]] = []
        self._identities = identities
        self._shelves = {kind: _Shelf({}, deque()) for kind in BY_KIND}
        self._owned: dict[str, dict[str, tuple[str, Key]]] = defaultdict(dict)

    def find(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """One object, None if there is none."""
        return self._shelves[kind].objects.get((namespace, name))

    def get(self, kind: str, namespace: str, name: str) -> Manifest:
        """One object; raises a 404."""
        found = self.find(kind, namespace, name)
        if found is None:
            raise problems.not_found(BY_KIND[kind], name)
        return found

    def items(self, kind: str, namespace: str = "") -> list[Manifest]:
        """All objects of a kind, of one namespace or of all."""
        held = self._shelves[kind].objects
        if not namespace:
            return list(held.values())
        return [item for (place, _), item in held.items() if place == namespace]

    def owned(self, uid: str, kind: str = "") -> Iterator[Manifest]:
        """The objects that have this one among their owners, oldest first."""
        for of_kind, key in list(self._owned.get(uid, {}).values()):
            if kind in ("", of_kind):
                yield self._shelves[of_kind].objects[key]

    def changes(self, kind: str, since: int) -> list[Change]:
        """The changes of a kind after a version; raises a 410 if they are forgotten."""
        shelf = self._shelves[kind]
        if since < shelf.forgotten:
            raise problems.expired(since, shelf.forgotten)
        found: list[Change] = []
        for change in reversed(shelf.history):
            if change.version <= since:
                break
            found.append(change)
        return found[::-1]

    def create(self, manifest: Manifest, now: datetime, manager: str) -> Manifest:
        """Puts a new object in; raises a 409 if there is one of that name."""
        resource = BY_KIND[manifest["kind"]]
        key = (namespace_of(manifest), name_of(manifest))
        if key in self._shelves[resource.kind].objects:
            raise problems.already_exists(resource, key[1])
        made = with_meta(
            manifest,
            uid=str(UUID(bytes=self._identities(), version=4)),
            creationTimestamp=stamp(now),
            generation=1 if "spec" in manifest else None,
        )
        made = {"apiVersion": resource.api_version, **made}
        return self._note("ADDED", resource.kind, _managed(made, None, now, manager), None)

    def write(self, manifest: Manifest, now: datetime, manager: str) -> Manifest:
        """Puts an object in place of what is held; answers with what is held then.

        Raises a 404 if there is none, and a 409 if the manifest's resourceVersion is not that of
        the object that is held. Nothing happens if it is the same as before.
        """
        kind = str(manifest["kind"])
        before = self.get(kind, namespace_of(manifest), name_of(manifest))
        after = self.tried(manifest)
        if after == before:
            return before
        return self._note("MODIFIED", kind, _managed(after, before, now, manager), before)

    def tried(self, manifest: Manifest) -> Manifest:
        """What would be held if it were written, but for its version; raises as `write` does."""
        kind = str(manifest["kind"])
        before = self.get(kind, namespace_of(manifest), name_of(manifest))
        held = before["metadata"]
        if manifest["metadata"].get("resourceVersion", "") not in ("", held["resourceVersion"]):
            raise problems.conflict(BY_KIND[kind], name_of(manifest))
        after = with_meta(
            manifest,
            **{
                fixed: held.get(fixed)
                for fixed in ("uid", "creationTimestamp", "generation", "resourceVersion")
            },
            managedFields=held.get("managedFields"),
        )
        # Without a subresource the status counts as any other part.
        parts = ("spec",) if BY_KIND[kind].has_status else ("spec", "status")
        if any(after.get(part) != before.get(part) for part in parts):
            after = with_meta(after, generation=int(held.get("generation", 0)) + 1)
        return after

    def delete(self, kind: str, namespace: str, name: str) -> Manifest:
        """Takes an object out, with all that it owns; raises a 404."""
        gone = self.get(kind, namespace, name)
        del self._shelves[kind].objects[(namespace, name)]
        for reference in gone["metadata"].get("ownerReferences") or ():
            self._owned[reference["uid"]].pop(uid_of(gone), None)
        gone = self._note("DELETED", kind, gone, gone)
        for of_kind, key in list(self._owned.pop(uid_of(gone), {}).values()):
            self.delete(of_kind, *key)
        return gone

    def _note(
        self, type_: ChangeType, kind: str, manifest: Manifest, before: Manifest | None
    ) -> Manifest:
        self.version += 1
        held = with_meta(manifest, resourceVersion=str(self.version))
        shelf = self._shelves[kind]
        if type_ != "DELETED":
            key = (namespace_of(held), name_of(held))
            shelf.objects[key] = held
            for reference in held["metadata"].get("ownerReferences") or ():
                self._owned[reference["uid"]][uid_of(held)] = (kind, key)
        change = Change(self.version, type_, held, before)
        shelf.history.append(change)
        if len(shelf.history) > self._history:
            shelf.forgotten = shelf.history.popleft().version
        for listener in self.listeners:
            listener(kind, change)
        return held


def _managed(after: Manifest, before: Manifest | None, now: datetime, manager: str) -> Manifest:
    """With the entry of its writer renewed: one for the status, one for the rest.

    Which fields each writer owns is left out: it is half of a real object, and nobody here merges
    by it.
    """
    status_only = before is not None and _rest(after) == _rest(before)
    subresource = "status" if status_only else ""
    kept = [
        entry
        for entry in after["metadata"].get("managedFields") or ()
        if (entry["manager"], entry.get("subresource", "")) != (manager, subresource)
    ]
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": after["apiVersion"],
        "time": stamp(now),
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    if subresource:
        entry["subresource"] = subresource
    return with_meta(after, managedFields=[*kept, entry])


def _rest(manifest: Manifest) -> Manifest:
    return {key: value for key, value in manifest.items() if key != "status"}
