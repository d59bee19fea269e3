"""A subscription goes on though connections break, and gives up when it is refused."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import anyio
import pytest

from rollgraph.core.errors import BadRequestError, RemoteError, UnauthenticatedViewerError
from rollgraph.server.remote.watching.answers import ForbiddenStreamError
from rollgraph.server.remote.watching.following import (
    FIRST_WAIT,
    LONGEST_WAIT,
    PATIENCE,
    Following,
)
from rollgraph.spokes.backoff import Backoff

UNREACHED = RemoteError("cannot be reached")
Said = dict[str, Any] | Exception | float


class Over(Exception):
    """The script of a server is at its end."""


class Server:
    """Plays a script: for each connection what it says in turn; a number is seconds of silence.

    An exception instead of a list is a connection that does not come to be. At the end of a list
    the server ends the stream.
    """

    def __init__(self, *script: list[Said] | Exception) -> None:
        self._script = iter(script)
        self.asked: list[dict[str, Any]] = []
        self.at: list[float] = []

    @asynccontextmanager
    async def ask(self, body: bytes) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        says = next(self._script, Over())
        self.asked.append(json.loads(body)["variables"])
        self.at.append(anyio.current_time())
        if isinstance(says, Exception):
            raise says
        yield self._answers(says)

    async def _answers(self, says: list[Said]) -> AsyncIterator[dict[str, Any]]:
        for said in says:
            if isinstance(said, Exception):
                raise said
            if isinstance(said, float):
                await anyio.sleep(said)
            else:
                yield said


def event(cursor: str) -> dict[str, Any]:
    return {"data": {"event": {"cursor": cursor}}}


def failed(code: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": "no", "extensions": {"code": code}}]}


class Reader:
    def __init__(self, server: Server) -> None:
        backoff = Backoff(Random(1), first=FIRST_WAIT, longest=LONGEST_WAIT)
        self.heard: list[str] = []
        self.broken: list[str] = []
        self.anew = 0
        self._following = Following(
            server.ask, "document", {"filter": {}}, backoff, self.broken.append
        )

    async def run(self) -> None:
        await self._following.run(self._hear, self._begin_anew)

    async def _hear(self, told: dict[str, Any]) -> None:
        self.heard.append(told["cursor"])

    async def _begin_anew(self) -> None:
        self.anew += 1


async def test_it_goes_on_after_the_last_event_that_came() -> None:
    server = Server([event("1"), event("2"), UNREACHED], UNREACHED, [event("3")])
    reader = Reader(server)
    with pytest.raises(Over):
        await reader.run()
    assert reader.heard == ["1", "2", "3"]
    assert [asked.get("resumeAfter") for asked in server.asked] == [None, "2", "2", "3"]
    assert all(asked["filter"] == {} for asked in server.asked)
    assert reader.broken == [
        "", "cannot be reached", "cannot be reached", "", "the server ended the stream",
    ]  # fmt: skip


async def test_waits_grow_and_are_bounded() -> None:
    server = Server([event("1")], *[UNREACHED] * 12, [event("2")])
    with pytest.raises(Over):
        await Reader(server).run()
    waits = [after - before for before, after in zip(server.at, server.at[1:], strict=False)]
    assert FIRST_WAIT <= waits[0] <= 2 * FIRST_WAIT
    assert waits[1] > waits[0]
    assert max(waits) <= 2 * LONGEST_WAIT
    assert waits[-1] <= 2 * FIRST_WAIT  # something was heard: the next trouble is a new one


async def test_a_server_that_is_gone_for_good_is_given_up_after_a_while() -> None:
    server = Server([event("1")], *[UNREACHED] * 1000)
    began = anyio.current_time()
    with pytest.raises(RemoteError, match="cannot be reached"):
        await Reader(server).run()
    assert PATIENCE < anyio.current_time() - began < PATIENCE + 2 * LONGEST_WAIT


async def test_a_server_that_takes_the_connection_and_has_nothing_but_trouble_is_too() -> None:
    trouble: list[Said] = [failed("INTERNAL_SERVER_ERROR")]
    server = Server([event("1")], *[trouble] * 1000)
    began = anyio.current_time()
    with pytest.raises(RemoteError, match="no"):
        await Reader(server).run()
    assert anyio.current_time() - began < PATIENCE + 2 * LONGEST_WAIT


async def test_a_quiet_stream_that_breaks_after_hours_is_a_new_trouble() -> None:
    quiet: list[Said] = [7200.0, UNREACHED]
    server = Server([event("1"), UNREACHED], quiet, quiet, [event("2")])
    reader = Reader(server)
    with pytest.raises(Over):
        await reader.run()
    assert reader.heard == ["1", "2"]


async def test_a_login_that_ended_is_renewed_by_another_attempt() -> None:
    server = Server([event("1"), failed("TOKEN_EXPIRED")], [event("2")])
    reader = Reader(server)
    with pytest.raises(Over):
        await reader.run()
    assert reader.heard == ["1", "2"]
    assert server.asked[1]["resumeAfter"] == "1"


async def test_a_login_that_is_not_known_is_the_end() -> None:
    server = Server([event("1"), failed("TOKEN_EXPIRED")], [failed("UNAUTHENTICATED")])
    with pytest.raises(UnauthenticatedViewerError):
        await Reader(server).run()


async def test_so_is_what_one_may_not() -> None:
    server = Server([failed("FORBIDDEN")])
    with pytest.raises(ForbiddenStreamError):
        await Reader(server).run()


async def test_a_question_that_is_nonsense_is_not_repeated() -> None:
    server = Server([failed("GRAPHQL_VALIDATION_FAILED")])
    with pytest.raises(BadRequestError, match="does not take the question: no"):
        await Reader(server).run()
    assert len(server.asked) == 1


async def test_a_server_that_cannot_read_a_cursor_is_asked_without() -> None:
    server = Server([event("1")], [failed("BAD_USER_INPUT")], [event("1")])
    reader = Reader(server)
    with pytest.raises(Over):
        await reader.run()
    assert [asked.get("resumeAfter") for asked in server.asked] == [None, "1", None, "1"]
    assert reader.anew == 1
