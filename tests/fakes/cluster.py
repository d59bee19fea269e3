"""The objects of one pretended spoke, with versions and a history, as an API server has them."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import anyio

from rollgraph.core.errors import ExpiredError
from rollgraph.core.refs import Kind

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Manifest = dict[str, Any]


class FakeCluster:
    """Put objects, delete them, and read them as lists or as histories."""

    def __init__(self) -> None:
        self.uid = "1"
        self.version = 10
        self.compacted = 0
        self._objects: dict[tuple[Kind, str, str], Manifest] = {}
        self._history: list[tuple[int, Kind, EventType, Manifest]] = []
        self._changed = anyio.Event()

    def put(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Creates or updates an object; answers with what is held."""
        meta = {"namespace": "default", **manifest.get("metadata", {})}
        key = (kind, meta["namespace"], meta["name"])
        self.version += 1
        meta.setdefault("uid", f"{kind}-{meta['namespace']}-{meta['name']}")
        meta["resourceVersion"] = str(self.version)
        held = {**manifest, "kind": str(kind), "metadata": meta}
        self._note("MODIFIED" if key in self._objects else "ADDED", kind, held)
        self._objects[key] = held
        return held

    def delete(self, kind: Kind, name: str, namespace: str = "default") -> None:
        """Deletes an object."""
        self.version += 1
        gone = self._objects.pop((kind, namespace, name))
        meta = {**gone["metadata"], "resourceVersion": str(self.version)}
        self._note("DELETED", kind, {**gone, "metadata": meta})

    def compact(self) -> None:
        """Forgets the history: a watch from before now is answered with 410."""
        self.version += 1
        self.compacted = self.version
        self._history.clear()

    def objects(self, kind: Kind, namespace: str = "") -> list[Manifest]:
        """What a list holds."""
        return [
            held
            for (k, ns, _), held in self._objects.items()
            if k is kind and namespace in {"", ns}
        ]

    async def changes(
        self, kind: Kind, namespace: str, since: int
    ) -> AsyncIterator[tuple[EventType, Manifest]]:
        """What a watch sends, without end."""
        if since < self.compacted:
            raise ExpiredError("too old resource version")
        while True:
            changed = self._changed
            for version, k, type_, held in list(self._history):
                if version > since:
                    since = version
                    if k is kind and namespace in {"", held["metadata"]["namespace"]}:
                        yield type_, held
            await changed.wait()

    def _note(self, type_: EventType, kind: Kind, held: Manifest) -> None:
        self._history.append((self.version, kind, type_, held))
        self._changed.set()
        self._changed = anyio.Event()


def line(type_: str, manifest: Manifest) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": type_, "object": manifest}).encode() + b"\n"


def bookmark(version: int | str, *, end: bool | None = None) -> bytes:
    """A BOOKMARK line; with `end`, one that says whether the initial events have ended."""
    meta: Manifest = {"resourceVersion": str(version)}
    if end is not None:
        meta["annotations"] = {"k8s.io/initial-events-end": "true" if end else "false"}
    return line("BOOKMARK", {"metadata": meta})


def status(code: int, reason: str = "", message: str = "", **details: Any) -> Manifest:
    """A Status of failure."""
    made: Manifest = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return made | ({"details": details} if details else {})


def page(version: int | str, *items: Manifest, continue_: str = "") -> bytes:
    """One page of a list."""
    meta = {"resourceVersion": str(version)} | ({"continue": continue_} if continue_ else {})
    return json.dumps({"metadata": meta, "items": list(items)}).encode()
