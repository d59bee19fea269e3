"""What all `Receipts` do, whichever gateway asks."""

from collections.abc import AsyncIterator

import anyio
import pytest

from contract.servers import OnDemand
from contract.stores import KINDS, MOST, stores
from rollgraph.core.errors import KeyTakenError
from rollgraph.ports import Receipts

pytestmark = pytest.mark.looptime(False)


@pytest.fixture(params=KINDS)
async def two(
    request: pytest.FixtureRequest, server: OnDemand
) -> AsyncIterator[tuple[Receipts, Receipts]]:
    async with stores(request.param, server) as found:
        yield found.receipts


async def test_what_is_kept_is_given_again_by_every_gateway(two: tuple[Receipts, Receipts]) -> None:
    one, other = two
    assert await one.claim("k", "f") is None
    await one.keep("k", b"answer\x00\xff")
    assert await one.claim("k", "f") == b"answer\x00\xff"
    assert await other.claim("k", "f") == b"answer\x00\xff"


async def test_a_key_stands_for_its_request(two: tuple[Receipts, Receipts]) -> None:
    one, other = two
    await one.claim("k", "f")
    with pytest.raises(KeyTakenError, match="take a new key"):
        await other.claim("k", "another")
    await one.keep("k", b"answer")
    with pytest.raises(KeyTakenError, match="take a new key"):
        await other.claim("k", "another")


async def test_who_comes_second_waits_for_the_answer(two: tuple[Receipts, Receipts]) -> None:
    one, other = two
    got: list[bytes | None] = []

    async def claim() -> None:
        got.append(await other.claim("k", "f"))

    await one.claim("k", "f")
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(claim)
            await anyio.sleep(0.3)
            assert got == []
            await one.keep("k", b"answer")
    assert got == [b"answer"]


async def test_a_released_key_is_the_next_ones_and_only_one_has_it(
    two: tuple[Receipts, Receipts],
) -> None:
    one, other = two
    got: list[bytes | None] = []

    async def claim(receipts: Receipts) -> None:
        got.append(await receipts.claim("k", "f"))
        if len(got) == 1:
            await receipts.keep("k", b"answer")

    await one.claim("k", "f")
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for receipts in (one, other, other):
                tasks.start_soon(claim, receipts)
            await anyio.sleep(0.3)
            assert got == []
            await one.release("k")
    assert got == [None, b"answer", b"answer"]


async def test_where_there_is_no_more_room_the_oldest_goes(two: tuple[Receipts, Receipts]) -> None:
    one, _ = two
    for number in range(MOST + 1):
        await one.claim(f"k{number}", "f")
        await one.keep(f"k{number}", b"answer")
    assert await one.claim("k1", "f") == b"answer"
    assert await one.claim("k0", "f") is None
