"""What all `Leases` do, wherever they are kept."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest

from contract.brokers import BROKERS, LASTS, Shared
from contract.servers import OnDemand
from factories import NOON, rollout_view
from rollgraph.core.errors import FencedError
from rollgraph.core.feed.entries import Fact
from rollgraph.core.refs import ObjectKey
from rollgraph.ports import Leases

pytestmark = pytest.mark.looptime(False)

ANN, BOB = "ann.1", "bob.1"


@pytest.fixture(params=BROKERS)
async def shared(request: pytest.FixtureRequest, server: OnDemand) -> AsyncIterator[Shared]:
    async with BROKERS[request.param](server) as found:
        yield found


@pytest.fixture
def leases(shared: Shared) -> Leases:
    return shared.leases


def fact(minute: int = 0, name: str = "checkout") -> Fact:
    at = NOON + timedelta(minutes=minute)
    return Fact(ObjectKey("shop", name), rollout_view(f"east/shop/{name}", updated_at=at), at)


async def holders(leases: Leases, *spokes: str) -> dict[str, str]:
    found = await leases.hold("looker", spokes, ())
    return {spoke: standing.holder for spoke, standing in found.items()}


async def lapse() -> None:
    """Until what was taken before has come to its end; the store has a clock of its own."""
    await anyio.sleep(LASTS + 0.1)


async def test_those_live_who_have_said_so_lately(leases: Leases) -> None:
    assert set(await leases.join(ANN)) == {ANN}
    assert set(await leases.join(BOB)) == {ANN, BOB}
    await anyio.sleep(LASTS * 0.7)
    await leases.join(BOB)
    await anyio.sleep(LASTS * 0.7)
    assert set(await leases.join(BOB)) == {BOB}


async def test_who_has_left_does_not_live(leases: Leases) -> None:
    await leases.join(ANN)
    await leases.leave(ANN)
    assert set(await leases.join(BOB)) == {BOB}


async def test_a_lease_is_taken_by_who_asks_first(leases: Leases) -> None:
    taken = await leases.hold(ANN, ["east", "west"], ["east"])
    assert {spoke: standing.holder for spoke, standing in taken.items()} == {
        "east": ANN,
        "west": "",
    }
    late = await leases.hold(BOB, ["east", "west"], ["east", "west"])
    assert {spoke: standing.holder for spoke, standing in late.items()} == {
        "east": ANN,
        "west": BOB,
    }


async def test_a_lease_that_is_held_again_does_not_lapse(leases: Leases) -> None:
    await leases.hold(ANN, ["east"], ["east"])
    await anyio.sleep(LASTS * 0.7)
    await leases.hold(ANN, ["east"], ["east"])
    await anyio.sleep(LASTS * 0.7)
    assert (await leases.hold(BOB, ["east"], ["east"]))["east"].holder == ANN


async def test_a_lease_that_lapsed_is_anybodys(leases: Leases) -> None:
    await leases.hold(ANN, ["east", "west"], ["east", "west"])
    await lapse()
    assert await holders(leases, "east", "west") == {"east": "", "west": ""}
    assert (await leases.hold(BOB, ["east"], ["east"]))["east"].holder == BOB
    assert (await leases.hold(ANN, ["west"], ["west"]))["west"].holder == ANN


async def test_who_has_lost_the_lease_cannot_write_however_late_it_learns_of_that(
    shared: Shared,
) -> None:
    leases, broker = shared.leases, shared.broker
    await leases.hold(ANN, ["east"], ["east"])
    feed, _ = await broker.claim("east", ANN)
    await feed.append([fact()])
    await lapse()
    await feed.append([fact(1)])  # nobody's yet, so nobody is disturbed
    await leases.hold(BOB, ["east"], ["east"])
    with pytest.raises(FencedError):
        await feed.append([fact(2)])
    with pytest.raises(FencedError, match=r"claim of east: its lease is not ann\.1's"):
        await broker.claim("east", ANN)
    theirs, found = await broker.claim("east", BOB)
    assert [entry.at for entry in found.entries] == [fact(1).at]
    assert (await theirs.append([fact(3)])).seq == 3


async def test_a_lease_of_ones_own_that_lapsed_is_taken_again_without_a_break(
    shared: Shared,
) -> None:
    await shared.leases.hold(ANN, ["east"], ["east"])
    feed, _ = await shared.broker.claim("east", ANN)
    await lapse()
    await shared.leases.hold(ANN, ["east"], ["east"])
    assert (await feed.append([fact()])).seq == 1


async def test_who_has_no_lease_cannot_claim(shared: Shared) -> None:
    with pytest.raises(FencedError):
        await shared.broker.claim("east", ANN)
    assert await shared.broker.positions() == {}
    await shared.leases.hold(ANN, ["east"], ["east"])
    with pytest.raises(FencedError, match="not anybody's"):
        await shared.broker.claim("east")


async def test_what_is_given_back_can_be_taken_at_once_and_written_by_no_one(
    shared: Shared,
) -> None:
    leases = shared.leases
    await leases.hold(ANN, ["east", "west"], ["east", "west"])
    feed, _ = await shared.broker.claim("east", ANN)
    await leases.release(ANN, ["east"])
    assert await holders(leases, "east", "west") == {"east": "", "west": ANN}
    with pytest.raises(FencedError):
        await feed.append([fact()])
    assert (await leases.hold(BOB, ["east"], ["east"]))["east"].holder == BOB


async def test_nobody_gives_back_what_is_anothers(leases: Leases) -> None:
    await leases.hold(ANN, ["east"], ["east"])
    await leases.release(BOB, ["east", "nowhere"])
    assert await holders(leases, "east", "nowhere") == {"east": ANN, "nowhere": ""}


async def test_a_lease_alone_makes_no_feed(shared: Shared) -> None:
    await shared.leases.hold(ANN, ["east"], ["east"])
    assert await shared.broker.positions() == {}
    assert await shared.broker.snapshot("east") is None


async def test_a_spoke_weighs_what_is_known_of_it(shared: Shared) -> None:
    found = await shared.leases.hold(ANN, ["east", "west"], ["east"])
    assert {spoke: standing.weight for spoke, standing in found.items()} == {"east": 1, "west": 1}
    feed, _ = await shared.broker.claim("east", ANN)
    await feed.append([fact(name=f"shop-{n}") for n in range(100)])
    found = await shared.leases.hold(ANN, ["east", "west"], ())
    assert {spoke: standing.weight for spoke, standing in found.items()} == {"east": 128, "west": 1}


async def test_without_a_spoke_nothing_is_held(leases: Leases) -> None:
    assert await leases.hold(ANN, [], []) == {}
    await leases.release(ANN, [])
