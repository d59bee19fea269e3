"""A pretended API server that says what it is told to, when it is told to.

A real one writes some hundred changes a second on two cores, and takes both for it; this one takes
next to nothing, so that what is measured is who watches.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

Manifest = dict[str, Any]

NAME = "pretended"


class Spoke:
    """One cluster with some objects, of which rollouts change.

    Args:
        objects: What it has at first.

    Attributes:
        url: Where it is.
        version: That of the last change.
    """

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.url = ""
        self.version = 1
        self._objects: dict[str, list[Manifest]] = defaultdict(list)
        self._watches: dict[str, set[web.StreamResponse]] = defaultdict(set)
        for each in objects:
            self._objects[f"{each['kind'].lower()}s"].append(each)

    def kubeconfig(self, path: Path) -> Path:
        """Writes a kubeconfig for it."""
        context = {"cluster": NAME, "user": NAME}
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": {"server": self.url}}],
            "users": [{"name": NAME, "user": {"token": "nobody"}}],
            "contexts": [{"name": NAME, "context": context}],
        }
        path.write_text(json.dumps(body))  # JSON is YAML
        return path

    def next(self, rollout: Manifest) -> bytes:
        """A change of a rollout as a watch tells it, with a version of its own."""
        self.version += 1
        metadata = {**rollout["metadata"], "resourceVersion": str(self.version)}
        return _line("MODIFIED", {**rollout, "metadata": metadata})

    async def say(self, line: bytes) -> None:
        """Tells who watches rollouts."""
        for watch in self._watches["rollouts"]:
            await watch.write(line)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        plural = request.path.rsplit("/", 1)[-1]
        if plural == "version":
            return web.json_response({"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
        if "watch" not in request.query:
            body = {"metadata": {"resourceVersion": "1"}, "items": self._objects[plural]}
            return web.json_response(body)
        return await self._watch(request, plural)

    async def _watch(self, request: web.Request, plural: str) -> web.StreamResponse:
        watch = web.StreamResponse(headers={"Content-Type": "application/json"})
        watch.enable_chunked_encoding()
        await watch.prepare(request)
        if request.query.get("sendInitialEvents") == "true":
            for each in self._objects[plural]:
                await watch.write(_line("ADDED", each))
            ended = {"annotations": {"k8s.io/initial-events-end": "true"}, "resourceVersion": "1"}
            await watch.write(_line("BOOKMARK", {"metadata": ended}))
        self._watches[plural].add(watch)
        try:
            await asyncio.Event().wait()  # for ever: it is cancelled when nobody reads any more
        finally:
            self._watches[plural].discard(watch)
        return watch


def _line(type_: str, manifest: Manifest) -> bytes:
    return json.dumps({"type": type_, "object": manifest}).encode() + b"\n"


@asynccontextmanager
async def serving(objects: Iterable[Manifest]) -> AsyncIterator[Spoke]:
    """Runs it on loopback."""
    spoke = Spoke(objects)
    server = web.Server(spoke.answer, access_log=None, handler_cancellation=True)  # type: ignore[arg-type]
    runner = web.ServerRunner(server, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    spoke.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield spoke
    finally:
        await runner.cleanup()
