"""A run of `rollgraph watch` against a server that plays a script."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import anyio
import pytest

from rollgraph.core.errors import BadRequestError, ConfigError, RemoteError, RollgraphError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.goal import Goal, Status, Verdict
from rollgraph.server.remote.watching.screens import Json, Log
from rollgraph.server.remote.watching.selection import select
from rollgraph.server.remote.watching.watch import Watching
from unit.server.remote.watched import (
    CHECKOUT,
    SEARCH,
    T0,
    deleted,
    of_cluster,
    of_rollout,
    told,
)

# Something that is told, seconds until the next, or what goes wrong.
Said = dict[str, Any] | float | RollgraphError


class Server:
    """Counts its rollouts, and tells what happens to them; after that it is silent."""

    def __init__(
        self,
        *events: Said,
        clusters: tuple[Said, ...] = (of_cluster("east"), of_cluster("west")),
        there: tuple[RolloutRef, ...] = (CHECKOUT,),
        unread: tuple[str, ...] = (),
    ) -> None:
        self.there = there
        self.unread = unread
        self.counts = 0
        self.wrong: dict[str, Any] | None = None
        self._says = {"Watch(": list(events), "WatchClusters(": list(clusters)}

    async def ask(self, body: bytes) -> tuple[int, dict[str, Any]]:
        self.counts += 1
        if self.wrong is not None:
            return 400, {"errors": [self.wrong]}
        nodes = [
            {"clusterName": ref.cluster, "namespace": ref.namespace, "name": ref.name}
            for ref in self.there
        ]
        clusters = [{"cluster": {"name": name}, "included": False} for name in self.unread]
        found = {"totalCount": len(nodes), "nodes": nodes, "clusters": clusters}
        return 200, {"data": {"rollouts": found}}

    @asynccontextmanager
    async def subscribe(self, body: bytes) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        query = json.loads(body)["query"]
        yield self._answers(next(says for name, says in self._says.items() if name in query))

    async def _answers(self, says: list[Said]) -> AsyncIterator[dict[str, Any]]:
        while says:
            said = says.pop(0)
            if isinstance(said, RollgraphError):
                raise said
            if isinstance(said, float):
                await anyio.sleep(said)
            else:
                yield {"data": {"event": said}}
        await anyio.sleep_forever()


class Run:
    """A run and all that it says."""

    def __init__(self, server: Server, *names: str, as_json: bool = False) -> None:
        self.selection = select(names, [])
        self.board = Board(self.selection.named)
        self.lines: list[str] = []
        self.said: list[str] = []
        self._server = server
        self._screen = (
            Json(self.lines.append, lambda: T0)
            if as_json
            else Log(self.board, self.lines.append, lambda: T0)
        )

    async def until_healthy(self, seconds: float | None = 600) -> Verdict:
        return await self._run(Goal(exact=self.selection.exact), seconds)

    async def for_ever(self, seconds: float) -> Verdict:
        return await self._run(None, seconds)

    async def _run(self, goal: Goal | None, seconds: float | None) -> Verdict:
        watching = Watching(
            self._server,
            self.selection,
            goal,
            self.board,
            self._screen,
            self.said.append,
            seconds,
            Random(1),
        )
        return await watching.run()


HEALTHY = of_rollout("PHASE_CHANGED", phase="HEALTHY")


async def test_it_ends_when_the_rollout_is_healthy() -> None:
    began = anyio.current_time()
    run = Run(Server(of_rollout(), 60.0, HEALTHY), str(CHECKOUT))
    assert (await run.until_healthy()).status is Status.HEALTHY
    assert anyio.current_time() - began == pytest.approx(60, abs=1)
    assert [line.partition("  ")[2].split("  ")[1] for line in run.lines] == [
        "Progressing",
        "Healthy",
    ]
    assert run.said == []


async def test_it_ends_when_the_time_is_over_and_says_what_is_missing() -> None:
    began = anyio.current_time()
    verdict = await Run(Server(of_rollout()), str(CHECKOUT)).until_healthy(90)
    assert verdict.status is Status.TIMED_OUT
    assert verdict.text == (
        "timed out after 90 s: east/shop/checkout is Progressing: more replicas need to be updated"
    )
    assert anyio.current_time() - began == pytest.approx(90, abs=1)


async def test_without_a_goal_it_goes_on_whatever_happens() -> None:
    bad = of_rollout("PHASE_CHANGED", phase="DEGRADED")
    verdict = await Run(Server(of_rollout(), bad, HEALTHY), str(CHECKOUT)).for_ever(30)
    assert (verdict.status, verdict.text) == (Status.TIMED_OUT, "timed out after 30 s")


async def test_a_rollout_that_is_not_there_is_said_and_waited_for() -> None:
    server = Server(5.0, of_rollout("ADDED", phase="HEALTHY"), there=())
    run = Run(server, str(CHECKOUT))
    assert (await run.until_healthy()).status is Status.HEALTHY
    assert run.said == ["east/shop/checkout is not there, or not shown to you: waiting for it"]


async def test_of_many_the_first_that_is_told_is_not_taken_for_all() -> None:
    other = of_rollout(ref=SEARCH)
    server = Server(of_rollout(phase="HEALTHY"), 5.0, other, there=(CHECKOUT, SEARCH))
    verdict = await Run(server).until_healthy(60)
    assert verdict.status is Status.TIMED_OUT
    assert verdict.text.startswith("timed out after 60 s: west/search/search is Progressing")


async def test_a_cluster_that_gets_read_is_counted_before_anything_is_concluded() -> None:
    clusters = (of_cluster("west", "SYNCING"), 5.0, of_cluster("west"))
    server = Server(of_rollout(phase="HEALTHY"), clusters=clusters, unread=("west",))
    run = Run(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.for_ever, 20)
        await anyio.sleep(1)
        assert run.board.unread == {"west"}
        server.unread, server.there = (), (CHECKOUT, SEARCH)
    assert run.board.unread == set()
    assert list(run.board.rollouts) == [CHECKOUT, SEARCH]
    assert server.counts == 2


async def test_a_broken_stream_is_said_and_goes_on() -> None:
    server = Server(of_rollout(), RemoteError("the stream broke off"), HEALTHY)
    run = Run(server, str(CHECKOUT))
    assert (await run.until_healthy()).status is Status.HEALTHY
    assert run.said == ["the stream broke off; trying again", "connected again"]
    assert [line for line in run.lines if "STALE: the stream broke off" in line]


async def test_a_stream_that_begins_anew_tells_what_is_gone() -> None:
    server = Server(
        of_rollout(),
        of_rollout(ref=SEARCH),
        told("RESYNC", reason="more changed than could be told"),
        deleted(SEARCH),
        HEALTHY,
        there=(CHECKOUT, SEARCH),
    )
    run = Run(server)
    assert (await run.until_healthy()).text == "east/shop/checkout is Healthy"
    assert run.said == ["the state is told anew: more changed than could be told"]
    assert [line[10:] for line in run.lines if line.endswith("gone")] == [
        "west/search/search  gone"
    ]


async def test_json_has_each_event_as_it_was_told_and_then_the_result() -> None:
    run = Run(Server(of_rollout(), 1.0, HEALTHY), str(CHECKOUT), as_json=True)
    await run.until_healthy()
    lines = [json.loads(line) for line in run.lines]
    assert [line for line in lines if "rollout" in line] == [of_rollout(), HEALTHY]
    assert lines[-1] == {
        "kind": "RESULT",
        "receivedAt": T0.isoformat().replace("+00:00", "Z"),
        "result": "HEALTHY",
        "exitCode": 0,
        "message": "east/shop/checkout is Healthy",
    }


async def test_too_many_rollouts_are_refused_before_anything_is_told() -> None:
    server = Server(there=tuple(RolloutRef("e", "n", f"r{number}") for number in range(201)))
    with pytest.raises(ConfigError, match="more than 200 rollouts match"):
        await Run(server).until_healthy()


async def test_so_is_a_filter_that_the_server_does_not_take() -> None:
    server = Server()
    server.wrong = {"message": "no such phase", "extensions": {"code": "BAD_USER_INPUT"}}
    with pytest.raises(BadRequestError, match="no such phase"):
        await Run(server).until_healthy()


async def test_a_stream_that_is_refused_ends_it_all() -> None:
    server = Server(BadRequestError("no such field"))
    with pytest.raises(BadRequestError, match="no such field"):
        await Run(server).until_healthy()


async def test_so_does_a_server_that_cannot_be_asked_even_once() -> None:
    server = Server()
    server.wrong = {"message": "restarting", "extensions": {"code": "UNAVAILABLE"}}
    with pytest.raises(RemoteError, match="restarting"):
        await Run(server).until_healthy()


async def test_a_log_says_each_thing_once() -> None:
    later = of_rollout("PODS_CHANGED")
    later["receivedAt"] = (T0 + timedelta(minutes=1)).isoformat()
    run = Run(Server(of_rollout(), 10.0, later, later), str(CHECKOUT))
    await run.for_ever(60)
    assert len(run.lines) == 1
