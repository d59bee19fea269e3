"""Argo CD's namespace on a pretended hub, in memory: lists, watches, and a server that dies."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from fakes.cluster import line, page, status
from rollgraph.core.errors import RollgraphError, UnreachableError
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import ObjectList, WatchEvent

NAMESPACE = "argocd"
CORE = f"api/v1/namespaces/{NAMESPACE}"
Manifest = dict[str, Any]


def argo(namespace: str = NAMESPACE) -> str:
    """Where Argo CD's own kinds are."""
    return f"apis/argoproj.io/v1alpha1/namespaces/{namespace}"


class FakeHub:
    """Put objects, delete them, break it.

    Attributes:
        broken: Raised by whatever is asked, while it is set.
        broken_at: The same, for one path.
        attempts: How often a connection was asked for.
        opened: How many were made; `closed` tells how many of them have ended.
        asked: The path and the query of each request.
        cuts: Whether each watch ends as soon as it has begun, in disorder.
        expired: Versions before this one are answered with 410.
    """

    def __init__(self) -> None:
        self.version = 10
        self.broken: RollgraphError | None = None
        self.broken_at: dict[str, RollgraphError] = {}
        self.attempts = self.opened = self.closed = 0
        self.expired = 0
        self.cuts = False
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._objects: dict[tuple[str, str, str], Manifest] = {}
        self._history: list[tuple[int, str, str, Manifest]] = []
        self._changed = anyio.Event()

    # -- what is there -------------------------------------------------------------------------

    def secret(self, name: str, /, **content: Any) -> None:
        """A cluster's Secret; `labels`, `annotations` and `created` are its metadata's."""
        meta = {
            "name": name,
            "labels": content.pop("labels", {}),
            "annotations": content.pop("annotations", {}),
            "creationTimestamp": content.pop("created", "2026-01-01T00:00:00Z"),
        }
        config = content.pop("config", None)
        if config is not None:
            content["config"] = config if isinstance(config, str) else json.dumps(config)
        data = {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}
        self.put(f"{CORE}/secrets", {"metadata": meta, "data": data})

    def config_map(self, name: str, /, **data: str) -> None:
        """A ConfigMap; its keys are written with `__` in place of dots."""
        named = {key.replace("__", "."): text for key, text in data.items()}
        self.put(f"{CORE}/configmaps", {"metadata": {"name": name}, "data": named})

    def project(self, name: str, **spec: Any) -> None:
        """An AppProject."""
        self.put(f"{argo()}/appprojects", {"metadata": {"name": name}, "spec": spec})

    def application(
        self,
        name: str,
        project: str,
        /,
        *rollouts: str,
        namespace: str = NAMESPACE,
        **destination: str,
    ) -> None:
        """An Application that manages rollouts, each as `namespace/name`."""
        kinds = {"group": "argoproj.io", "kind": "Rollout", "version": "v1alpha1"}
        keys = (rollout.split("/") for rollout in rollouts)
        managed = [{**kinds, "namespace": ns, "name": rollout} for ns, rollout in keys]
        manifest = {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"project": project, "destination": destination},
            "status": {"resources": managed},
        }
        self.put(f"{argo(namespace)}/applications", manifest)

    def put(self, path: str, manifest: Manifest) -> None:
        """Creates or updates an object."""
        self.version += 1
        namespace = path.split("/namespaces/")[1].split("/")[0]
        meta = {"namespace": namespace} | manifest["metadata"]
        held = manifest | {"metadata": meta | {"resourceVersion": str(self.version)}}
        key = (path, meta["namespace"], meta["name"])
        self._note("MODIFIED" if key in self._objects else "ADDED", path, held)
        self._objects[key] = held

    def delete(self, path: str, name: str) -> None:
        """Deletes an object."""
        self.version += 1
        [key] = [k for k in self._objects if k[0] == path and k[2] == name]
        self._note("DELETED", path, self._objects.pop(key))

    def compact(self) -> None:
        """Forgets the history, and ends all watches with 410."""
        self.version += 1
        self.expired = self.version
        self._history.clear()
        self.notify()

    def break_down(self, error: RollgraphError) -> None:
        """Every request fails from now on, and so do open watches."""
        self.broken = error
        self.notify()

    def notify(self) -> None:
        """Lets watches look again."""
        self._changed.set()
        self._changed = anyio.Event()

    # -- what is asked -------------------------------------------------------------------------

    async def open(self) -> "FakeHub":
        """A connection."""
        self.attempts += 1
        self._fail("")
        self.opened += 1
        return self

    async def close(self) -> None:
        """Closes one."""
        self.closed += 1

    async def page(self, path: str, query: Mapping[str, str]) -> ObjectList:
        """A list, two objects a page."""
        self.asked.append((path, dict(query)))
        self._fail(path)
        held = [held for key, held in self._objects.items() if self._at(key[0], path, query, held)]
        start = int(query.get("continue", "0"))
        more = str(start + 2) if start + 2 < len(held) else ""
        body = page(self.version, *held[start : start + 2], continue_=more)
        return decode.object_list(body)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        query: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """A watch."""
        self.asked.append((path, dict(query)))
        self._fail(path)
        yield self._events(path, query)

    async def _events(self, path: str, query: Mapping[str, str]) -> AsyncIterator[WatchEvent]:
        since = int(query["resourceVersion"])
        if self.cuts:
            raise UnreachableError("the connection broke in the middle of an answer")
        while True:
            changed = self._changed
            self._fail(path)
            if since < self.expired:
                gone = status(410, "Expired", "too old resource version")
                yield decode.watch_event(line("ERROR", gone))
                return
            for version, place, type_, held in list(self._history):
                if version > since:
                    since = version
                    if self._at(place, path, query, held):
                        yield decode.watch_event(line(type_, held))
            await changed.wait()

    def _fail(self, path: str) -> None:
        if (error := self.broken or self.broken_at.get(path)) is not None:
            raise error

    def _at(self, place: str, path: str, query: Mapping[str, str], held: Manifest) -> bool:
        here = place == path or ("namespaces" not in path and place.endswith(path.split("/")[-1]))
        selector = query.get("fieldSelector", "")
        return here and selector in {"", f"metadata.name={held['metadata']['name']}"}

    def _note(self, type_: str, path: str, held: Manifest) -> None:
        self._history.append((self.version, path, type_, held))
        self.notify()
