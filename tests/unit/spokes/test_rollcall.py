"""A spoke that nobody has told of is shown as one of which nothing is known."""

from datetime import timedelta

import anyio
import pytest

from factories import NOON
from fakes.clock import START, LoopClock
from fakes.fleet import FakeSource, FakeSpoke
from fakes.projection import until
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.spokes.rollcall import RollCall

EAST, WEST = FakeSpoke("east"), FakeSpoke("west")
TOLD = ClusterView("east", ConnectionStatus.CONNECTED, NOON, confirmed_at=NOON)


class Call:
    """A roll call over a source that is told what to say."""

    def __init__(self) -> None:
        self.mirror = MemoryMirror(LoopClock())
        self.source = FakeSource(EAST.spoke(env="prod"))
        self.rollcall = RollCall(self.source, self.mirror, self.mirror, LoopClock())

    @property
    def names(self) -> set[str]:
        return {view.name for view in self.mirror.clusters()}


@pytest.fixture
async def call() -> Call:
    return Call()


async def test_a_silent_spoke_is_there_stale_and_not_synced(call: Call) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.rollcall.run)
        await until(lambda: call.names == {"east"})
        east = call.mirror.cluster("east")
        assert east is not None
        assert (east.status, east.labels) == (ConnectionStatus.SYNCING, {"env": "prod"})
        assert not east.synced
        assert east.stale(START, timedelta(hours=1))
        assert call.rollcall.has("east")
        assert not call.rollcall.has("west")
        tasks.cancel_scope.cancel()


async def test_what_somebody_knows_is_left_alone(call: Call) -> None:
    call.mirror.put_cluster(TOLD)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.rollcall.run)
        call.source.say(EAST.spoke(), WEST.spoke())
        await until(lambda: call.names == {"east", "west"})
        assert call.mirror.cluster("east") is TOLD
        call.source.say()
        await until(lambda: call.names == {"east"})  # who told of it tells of its end, too
        assert not call.rollcall.has("east")
        tasks.cancel_scope.cancel()
