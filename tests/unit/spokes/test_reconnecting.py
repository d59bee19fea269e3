"""A server that dies, stops or comes back: what is shown, and how watching goes on."""

import anyio

from fakes.clock import START
from fakes.fleet import FakeSpoke, running
from fakes.manifests import rollout
from fakes.projection import until
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.errors import (
    ConfigError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.refs import Kind, RolloutRef

CHECKOUT = RolloutRef("east", "default", "checkout")
REFUSED = UnreachableError("no connection to 127.0.0.1:6443: Connection refused")


async def test_a_stopped_server_is_noticed_within_ten_seconds() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        # Right after an answer: the worst moment.
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED, 0.01)
        east.server.fall_silent()
        with anyio.fail_after(10):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        cluster = fleet.projection.clusters["east"]
        assert cluster.problem is Problem.UNREACHABLE
        assert {watch.status for watch in cluster.watches} == {ConnectionStatus.DISCONNECTED}
        confirmed = cluster.confirmed_at
        assert confirmed is not None
        assert (confirmed - START).total_seconds() < 5.1


async def test_a_server_that_goes_on_is_watched_from_where_it_stopped() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.server.fall_silent()
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        east.cluster.delete(Kind.ROLLOUT, "checkout")
        await anyio.sleep(30)
        assert CHECKOUT in fleet.projection.rollouts  # as it was when last seen
        asked = len(east.server.requests)
        east.server.speak()
        with anyio.fail_after(7):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert CHECKOUT not in fleet.projection.rollouts
        verbs = {verb for verb, kind, _ in east.server.requests[asked:] if kind is not None}
        assert verbs == {"watch"}
        cluster = fleet.projection.clusters["east"]
        # The stream of rollouts brought what had waited for it, and so was believed.
        assert cluster.reconnects == len(cluster.watches) - 1
        assert {watch.relists for watch in cluster.watches} == {0}


async def test_a_killed_server_is_noticed_at_once_and_found_again_soon() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        await anyio.sleep(3)
        east.server.refuse[None] = REFUSED
        east.server.cut()
        with anyio.fail_after(0.2):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        await anyio.sleep(600)  # the reflectors wait half a minute and more by now
        assert fleet.projection.clusters["east"].error.endswith("Connection refused")
        east.server.refuse.clear()
        with anyio.fail_after(6.1):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_server_that_was_gone_between_two_probes_is_found_at_the_next() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        for _ in range(6):  # so often that the waits have grown long
            await anyio.sleep(1)
            east.server.refuse[None] = REFUSED
            east.server.cut()
            await anyio.sleep(3.5)
            east.server.refuse.clear()
            await anyio.sleep(0.5)
        with anyio.fail_after(7):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_watch_that_is_open_again_is_believed_before_the_next_probe() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.server.refuse[None] = REFUSED
        east.server.cut()
        await anyio.sleep(5.1)  # the probe has failed, too
        assert fleet.projection.clusters["east"].error == str(REFUSED)
        east.server.refuse.clear()
        east.server.muted.add("version")
        with anyio.fail_after(12):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_watch_that_speaks_while_the_probe_fails_is_believed() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.server.muted.add("version")
        for number in range(120):
            east.cluster.put(Kind.ROLLOUT, rollout(f"r{number}"))
            await anyio.sleep(0.5)
        assert fleet.projection.statuses["east"][-1] == (ConnectionStatus.CONNECTED, None)
        assert len(fleet.projection.statuses["east"]) == 2
        cluster = fleet.projection.clusters["east"]
        assert cluster.confirmed_at is not None
        assert (cluster.confirmed_at - START).total_seconds() > 50


async def test_an_answer_that_says_no_is_a_sign_of_life() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.server.refuse[None] = TooManyRequestsError("busy")
        await anyio.sleep(60)
        cluster = fleet.projection.clusters["east"]
        assert cluster.status is ConnectionStatus.CONNECTED
        assert cluster.confirmed_at is not None
        assert (cluster.confirmed_at - START).total_seconds() > 50


async def test_an_expired_token_is_renewed_without_anybody_noticing() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        old, east.server = east.server, type(east.server)(east.cluster)
        old.refuse[None] = UnauthenticatedError("the token has expired")
        await anyio.sleep(3)
        old.cut()
        await until(lambda: len(east.opened) == 2)
        await anyio.sleep(120)
        # One connection was opened for all watches; the old one still serves who uses it.
        assert len(east.opened) == 2
        assert fleet.projection.statuses["east"][-1] == (ConnectionStatus.CONNECTED, None)
        assert len(fleet.projection.statuses["east"]) == 2


async def test_credentials_that_cannot_be_had_anew_are_shown() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        await anyio.sleep(3)
        east.server.refuse[None] = UnauthenticatedError("the token has expired")
        east.fails = UnauthenticatedError("the credential plugin 'aws' exited with 255")
        east.server.cut()
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        cluster = fleet.projection.clusters["east"]
        assert cluster.problem is Problem.UNAUTHENTICATED
        assert cluster.error == "Rollout: the credential plugin 'aws' exited with 255"


async def test_credentials_that_stay_wrong_are_shown_and_tried_slowly() -> None:
    east = FakeSpoke("east")
    east.server.refuse[None] = UnauthenticatedError("Unauthorized")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        assert fleet.projection.clusters["east"].problem is Problem.UNAUTHENTICATED
        await anyio.sleep(600)
        before = len(east.opened)
        await anyio.sleep(600)
        assert len(east.opened) - before < 130  # each watch in 30 to 60 s
        east.server.refuse.clear()
        with anyio.fail_after(61):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_spoke_that_cannot_be_opened_says_why() -> None:
    east = FakeSpoke("east")
    east.fails = ConfigError("exec.command 'aws' may not be run")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        cluster = fleet.projection.clusters["east"]
        assert cluster.problem is Problem.MISCONFIGURED
        assert cluster.error == "exec.command 'aws' may not be run"
        assert cluster.watches == ()
        east.fails = None
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_server_that_is_down_at_the_start_is_found_when_it_comes() -> None:
    east = FakeSpoke("east")
    east.server.refuse[None] = REFUSED
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        await anyio.sleep(300)
        assert {kind for _, kind, _ in east.server.requests} == {None}  # probes only
        east.server.refuse.clear()
        with anyio.fail_after(7):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert fleet.projection.statuses["east"] == [
            (ConnectionStatus.SYNCING, None),
            (ConnectionStatus.DISCONNECTED, Problem.UNREACHABLE),
            (ConnectionStatus.SYNCING, None),
            (ConnectionStatus.CONNECTED, None),
        ]


async def test_a_history_that_is_gone_leads_to_a_new_list_and_no_flash_of_emptiness() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    east.cluster.put(Kind.ROLLOUT, rollout("cart"))
    async with running(east) as fleet:
        await until(lambda: len(fleet.projection.rollouts) == 2)
        await anyio.sleep(5)
        east.cluster.delete(Kind.ROLLOUT, "cart")
        east.cluster.compact()
        east.server.cut()
        await until(lambda: len(fleet.projection.rollouts) == 1)
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        rollouts = fleet.projection.clusters["east"].watches[0]
        assert rollouts.relists == 1
        assert fleet.projection.log.count("put east/default/checkout") == 1
