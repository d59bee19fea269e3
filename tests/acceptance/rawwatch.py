"""The rollouts of a namespace as their API server's own watch delivers them, to compare with."""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import anyio
import httpx2
import orjson

from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind
from rollgraph.core.view import build_view
from testbed.cluster import path_of
from testbed.spoke import Spoke

# A watch is quiet for as long as nothing changes.
_TIMEOUT = httpx2.Timeout(30, read=None)


@dataclass(frozen=True)
class State:
    """What a rollout is passing through: a phase, what that says, and how many steps are done."""

    phase: str
    message: str | None
    step: int | None


# A rollout's spoke and name.
Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """A state of a rollout, and when it came, by `time.perf_counter`."""

    place: Place
    state: State
    at: float


class RawWatch:
    """What was delivered, in order: first the list, then each event."""

    def __init__(self, spoke: Spoke, namespace: str) -> None:
        self._spoke = spoke
        self._path = path_of("Rollout", namespace)
        self._delivered: list[tuple[float, bytes]] = []

    async def run(self, client: httpx2.AsyncClient, version: str) -> None:
        """Reads the watch from a version on, until cancelled."""
        query = {"watch": "1", "resourceVersion": version}
        async with client.stream("GET", self._path, params=query) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                self._delivered.append((time.perf_counter(), line.encode()))

    async def begin(self, client: httpx2.AsyncClient) -> str:
        """Reads the list, and returns the version that it is of."""
        answer = orjson.loads((await client.get(self._path)).content)
        for item in answer["items"]:
            event = orjson.dumps({"type": "ADDED", "object": item})
            self._delivered.append((time.perf_counter(), event))
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def seen(self) -> list[Seen]:
        """The states that were delivered, derived from each object by itself."""
        return [self._seen(at, line) for at, line in self._delivered]

    def _seen(self, at: float, line: bytes) -> Seen:
        event = orjson.loads(line)
        assert event["type"] in ("ADDED", "MODIFIED"), event
        found = event["object"]
        rollout = read_object(Kind.ROLLOUT, found)
        assert isinstance(rollout, Rollout)
        view = build_view(self._spoke.name, rollout, Belongings())
        state = State(view.phase.name, view.message or None, view.step_index)
        return Seen((self._spoke.name, found["metadata"]["name"]), state, at)


@asynccontextmanager
async def watched(spoke: Spoke, namespace: str) -> AsyncIterator[RawWatch]:
    """Reads the watch for as long as the context lasts."""
    access = spoke.access()
    client = httpx2.AsyncClient(
        base_url=access.url,
        headers={"Authorization": f"Bearer {access.token}"},
        verify=ssl.create_default_context(cadata=access.ca),
        timeout=_TIMEOUT,
        trust_env=False,
    )
    async with client, anyio.create_task_group() as tasks:
        made = RawWatch(spoke, namespace)
        tasks.start_soon(made.run, client, await made.begin(client))
        yield made
        tasks.cancel_scope.cancel()
