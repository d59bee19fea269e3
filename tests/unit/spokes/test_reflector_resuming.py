"""A watch that begins at another worker's version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from fakes.cluster import bookmark, line, page
from fakes.listwatch import HOLD, ScriptedListWatch, Stream
from fakes.manifests import thing
from fakes.reflecting import Rig
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.errors import TooLargeVersionError
from rollgraph.core.refs import Kind
from rollgraph.spokes.watchstate import CAUGHT_UP_WITHIN, PAUSE


@asynccontextmanager
async def resuming(script: ScriptedListWatch, version: str) -> AsyncIterator[Rig]:
    rig = Rig(script, Kind.POD, ())
    rig.reflector.resume(version)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.reflector.run)
        yield rig
        tasks.cancel_scope.cancel()


async def test_it_asks_for_no_list() -> None:
    script = ScriptedListWatch(streams=[[line("ADDED", thing("p", 11)), HOLD]])
    async with resuming(script, "10") as rig:
        assert rig.view.synced
        await rig.until(lambda: rig.held == {"p": "11"})
        assert script.requests == [("watch", "10")]
        assert rig.view.relists == 0


async def test_a_bookmark_says_that_it_has_caught_up() -> None:
    script = ScriptedListWatch(streams=[[line("ADDED", thing("p", 11)), bookmark(12), HOLD]])
    async with resuming(script, "10") as rig:
        assert rig.view.status is ConnectionStatus.SYNCING
        await rig.until(lambda: rig.view.status is ConnectionStatus.CONNECTED, every=0.001)
        assert anyio.current_time() < PAUSE


async def test_without_one_a_pause_says_so() -> None:
    events = [step for n in range(11, 15) for step in (line("ADDED", thing("p", n)), PAUSE * 0.9)]
    script = ScriptedListWatch(streams=[[*events, HOLD]])
    async with resuming(script, "10") as rig:
        await rig.until(lambda: rig.held == {"p": "14"}, every=0.01)
        assert rig.view.status is ConnectionStatus.SYNCING
        await rig.until(lambda: rig.view.status is ConnectionStatus.CONNECTED, every=0.01)
        assert anyio.current_time() < 4 * PAUSE


async def test_a_stream_that_never_pauses_is_believed_after_a_while() -> None:
    events = [step for n in range(11, 99) for step in (line("ADDED", thing("p", n)), PAUSE / 2)]
    script = ScriptedListWatch(streams=[[*events, HOLD]])
    async with resuming(script, "10") as rig:
        await rig.until(lambda: rig.view.status is ConnectionStatus.CONNECTED, every=0.01)
        assert CAUGHT_UP_WITHIN <= anyio.current_time() < CAUGHT_UP_WITHIN + PAUSE


async def test_a_server_that_has_gone_back_is_listed_anew() -> None:
    """It does not know the version that the first list asks for, so it is asked for the newest."""
    too_large = TooLargeVersionError("Too large resource version: 100, current: 6")
    script = ScriptedListWatch(
        streams=[[60.0, bookmark(6), HOLD], too_large, [HOLD]], lists=[page(6, thing("p", 5))]
    )
    async with resuming(script, "100") as rig:
        await rig.until(lambda: len(script.calls) >= 3)
        assert script.requests[:2] == [("watch", "100"), ("stream", "100")]
        assert script.requests[2][1] == ""


async def test_a_server_that_goes_on_is_believed_for_good() -> None:
    """Only the first version is looked at: a deleted object may have one from before."""
    stream: Stream = [bookmark(101), line("DELETED", thing("p", 50)), HOLD]
    script = ScriptedListWatch(streams=[stream])
    async with resuming(script, "100") as rig:
        await anyio.sleep(600)
        assert script.requests == [("watch", "100")]
        assert rig.view.status is ConnectionStatus.CONNECTED
