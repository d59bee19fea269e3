"""Many spokes: each on its own, added, removed and replaced while the others go on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio
import pytest

from fakes.clock import LoopClock
from fakes.fleet import FakeSpoke, running
from fakes.manifests import rollout
from fakes.projection import RecordingProjection, until
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.errors import ConfigError, UnreachableError
from rollgraph.core.refs import Kind
from rollgraph.ports import Spoke
from rollgraph.spokes.supervisor import Supervisor, straight

CONNECTED = ConnectionStatus.CONNECTED


async def test_dead_and_misdescribed_spokes_do_not_delay_the_others() -> None:
    good = [FakeSpoke(f"good-{number}") for number in range(5)]
    dead = [FakeSpoke(f"dead-{number}") for number in range(40)]
    stuck = [FakeSpoke(f"stuck-{number}") for number in range(40)]
    for spoke in dead:
        spoke.server.refuse[None] = UnreachableError("refused")
    for spoke in stuck:  # they tell their version and then never send a list
        spoke.server.muted |= {"stream", "list"}
    bad = FakeSpoke("bad")
    bad.fails = ConfigError("no such file")
    async with running(*dead, *stuck, bad, *good) as fleet:
        with anyio.fail_after(15):
            for spoke in good:
                await until(lambda name=spoke.name: fleet.projection.status(name) is CONNECTED)  # type: ignore[misc]
        assert fleet.projection.clusters["bad"].problem is Problem.MISCONFIGURED


async def test_spokes_come_and_go() -> None:
    east, west = FakeSpoke("east"), FakeSpoke("west")
    for spoke in (east, west):
        spoke.cluster.put(Kind.ROLLOUT, rollout("web"))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.names == {"east/default/web"})
        fleet.source.say(east.spoke(), west.spoke())
        await until(lambda: len(fleet.projection.names) == 2)
        fleet.source.say(west.spoke())
        await until(lambda: fleet.projection.names == {"west/default/web"})
        assert "east" not in fleet.projection.clusters
        assert east.server.closed
        assert len(west.opened) == 1  # it did not notice


async def test_a_spoke_that_is_described_anew_is_opened_anew_without_losing_its_rollouts() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("web"))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is CONNECTED)
        fleet.source.say(east.spoke("1"))
        await anyio.sleep(10)
        assert len(east.opened) == 1
        fleet.source.say(east.spoke("2", env="prod"))
        await until(lambda: len(east.opened) == 2)
        await until(lambda: fleet.projection.status("east") is CONNECTED)
        assert fleet.projection.clusters["east"].labels == {"env": "prod"}
        assert fleet.projection.log == ["put east/default/web"]


async def test_a_spoke_that_leaves_and_comes_back_at_once_is_watched() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is CONNECTED)
        fleet.source.say()
        fleet.source.say(east.spoke("2"))
        await until(lambda: len(east.opened) == 2)
        await until(lambda: fleet.projection.status("east") is CONNECTED)


async def test_our_own_failure_on_one_spoke_is_shown_and_healed() -> None:
    east, west = FakeSpoke("east"), FakeSpoke("west")
    async with running(east, west) as fleet:
        await until(lambda: fleet.projection.status("east") is CONNECTED)
        await until(lambda: fleet.projection.status("west") is CONNECTED)
        east.server.breaks = KeyError("token=s3cret")
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        cluster = fleet.projection.clusters["east"]
        assert cluster.problem is Problem.SERVER_ERROR
        assert cluster.error == "watching failed: KeyError, see the log"
        assert fleet.projection.status("west") is CONNECTED
        east.server.breaks = None
        await until(lambda: fleet.projection.status("east") is CONNECTED)
        assert len(west.opened) == 1


async def test_everything_is_closed_at_the_end() -> None:
    east, west = FakeSpoke("east"), FakeSpoke("west")
    async with running(east, west) as fleet:
        await until(lambda: fleet.projection.status("west") is CONNECTED)
    assert east.server.closed
    assert west.server.closed


async def test_a_source_that_cannot_be_read_ends_the_start() -> None:
    outlet = straight(RecordingProjection())
    supervisor = Supervisor(Unreadable(), outlet, clock=LoopClock(), rng=Random(1))
    with pytest.raises(ConfigError, match="expected YAML"):
        await supervisor.run()


class Unreadable:
    """A source that cannot be read."""

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """Of the port."""
        raise ConfigError("/etc/kubeconfig: expected YAML")
        yield
