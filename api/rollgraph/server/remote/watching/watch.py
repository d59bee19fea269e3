"""Watching rollouts until they are where they should be."""

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any, Protocol, TypeAlias

import anyio
import orjson

from rollgraph.core.errors import RollgraphError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.answers import data
from rollgraph.server.remote.watching.board import MOST, Board, check
from rollgraph.server.remote.watching.documents import CENSUS, CLUSTERS, ROLLOUTS
from rollgraph.server.remote.watching.following import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Ask,
    Following,
    Told,
)
from rollgraph.server.remote.watching.goal import Goal, Status, Verdict
from rollgraph.server.remote.watching.screens import Screen
from rollgraph.server.remote.watching.selection import Selection
from rollgraph.server.remote.watching.state import event
from rollgraph.spokes.backoff import Backoff

Say: TypeAlias = Callable[[str], None]

# Seconds between two pictures: what is left of a pause goes by smoothly enough.
LOOK_EVERY = 0.25


class Server(Protocol):
    """Whom to ask."""

    @property
    def subscribe(self) -> Ask:
        """Subscribes."""
        ...

    async def ask(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the answer to a question."""
        ...


class Watching:
    """One run of `rollgraph watch`.

    Args:
        server: Whom to ask.
        selection: Which rollouts.
        goal: What is waited for; None to watch for ever.
        board: What is known; the screen shows it.
        screen: Where it is shown.
        say: Told what happens to the connection.
        seconds: How long it may take; None for ever.
        rng: Chance, for the waits between attempts.
    """

    def __init__(
        self,
        server: Server,
        selection: Selection,
        goal: Goal | None,
        board: Board,
        screen: Screen,
        say: Say,
        seconds: float | None,
        rng: Random,
    ) -> None:
        self._server = server
        self._selection = selection
        self._goal = goal
        self._board = board
        self._screen = screen
        self._say = say
        self._seconds = seconds
        self._rng = rng
        self._broken: dict[str, str] = {}
        self._done = anyio.CancelScope()
        self._verdict: Verdict | None = None
        self._failure: RollgraphError | None = None

    async def run(self) -> Verdict:
        """Watches until the goal is reached, or cannot be, or the time is over.

        Raises what `Following.run` raises.
        """
        with anyio.move_on_after(self._seconds):
            self._greet(await self._count())
            with self._done:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._noting_failure, self._follow_rollouts)
                    tasks.start_soon(self._noting_failure, self._follow_clusters)
                    tasks.start_soon(self._noting_failure, self._look_again_and_again)
        if self._failure is not None:
            raise self._failure
        verdict = self._verdict or self._late()
        self._screen.end(verdict)
        return verdict

    async def _noting_failure(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except RollgraphError as error:
            self._failure = error
            self._done.cancel()

    async def _follow_rollouts(self) -> None:
        await self._following(ROLLOUTS, self._selection.filter).run(
            self._hear_of_rollout, self._begin_anew
        )

    async def _follow_clusters(self) -> None:
        await self._following(CLUSTERS, self._selection.clusters).run(
            self._hear_of_cluster, self._begin_anew
        )

    def _following(self, document: str, filter: dict[str, Any]) -> Following:
        backoff = Backoff(self._rng, first=FIRST_WAIT, longest=LONGEST_WAIT)
        note = partial(self._note, document)
        return Following(self._server.subscribe, document, {"filter": filter}, backoff, note)

    async def _count(self) -> set[RolloutRef]:
        """Asks which rollouts there are."""
        variables = {"filter": self._selection.filter, "first": MOST}
        body = orjson.dumps({"query": CENSUS, "variables": variables})
        _, answer = await self._server.ask(body)
        found = data(answer)["rollouts"]
        there = {
            RolloutRef(node["clusterName"], node["namespace"], node["name"])
            for node in found["nodes"]
        }
        unread = [each["cluster"]["name"] for each in found["clusters"] if not each["included"]]
        check(found["totalCount"])
        self._board.expect(there, unread)
        return there

    def _greet(self, there: set[RolloutRef]) -> None:
        for ref in self._board.rollouts:
            if ref not in there:
                self._say(f"{ref} is not there, or not shown to you: waiting for it")

    async def _hear_of_rollout(self, told: Told) -> None:
        heard = event(told)
        self._board.hear(heard)
        if heard.kind == "RESYNC":
            self._say(f"the state is told anew: {heard.reason}")
            await self._count()
        self._screen.hear(told)
        self._judge()

    async def _hear_of_cluster(self, told: Told) -> None:
        heard = event(told)
        self._board.hear(heard)
        connection = heard.cluster.connection if heard.cluster else None
        if heard.cluster_name in self._board.unread and (
            connection is None or connection.status in {"CONNECTED", "DEGRADED"}
        ):
            await self._count()
        self._screen.hear(told)
        self._judge()

    async def _begin_anew(self) -> None:
        self._board.doubt()
        await self._count()

    def _note(self, stream: str, broken: str) -> None:
        before = self._board.broken
        self._broken[stream] = broken
        self._board.broken = next(filter(None, self._broken.values()), "")
        if self._board.broken and not before:
            self._say(f"{self._board.broken}; trying again")
        elif before and not self._board.broken:
            self._say("connected again")
            self._judge()

    def _judge(self) -> None:
        self._verdict = self._goal.reached(self._board) if self._goal else None
        if self._verdict is not None:
            self._done.cancel()

    async def _look_again_and_again(self) -> None:
        while True:
            self._screen.look()
            await anyio.sleep(LOOK_EVERY)

    def _late(self) -> Verdict:
        missing = self._goal.missing(self._board) if self._goal else ""
        text = f"timed out after {self._seconds or 0:g} s"
        return Verdict(Status.TIMED_OUT, f"{text}: {missing}" if missing else text)
