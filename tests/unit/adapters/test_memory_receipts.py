"""Answers are kept for a day, within bounds; the oldest goes."""

import anyio
import pytest

from rollgraph.adapters.memory.receipts import KEPT, MemoryReceipts
from rollgraph.core.errors import KeyTakenError


async def test_what_is_kept_is_given_again() -> None:
    receipts = MemoryReceipts()
    assert await receipts.claim("k", "f") is None
    await receipts.keep("k", b"answer")
    assert await receipts.claim("k", "f") == b"answer"
    with pytest.raises(KeyTakenError):
        await receipts.claim("k", "another")


async def test_a_released_key_is_the_next_ones() -> None:
    receipts = MemoryReceipts()
    got: list[bytes | None] = []

    async def claim() -> None:
        got.append(await receipts.claim("k", "f"))

    assert await receipts.claim("k", "f") is None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(claim)
        tasks.start_soon(claim)
        await anyio.sleep(1)
        assert got == []
        await receipts.release("k")
        await anyio.sleep(1)
        assert got == [None]
        await receipts.keep("k", b"answer")
    assert got == [None, b"answer"]


async def test_a_claimed_key_stands_for_its_request() -> None:
    receipts = MemoryReceipts()
    await receipts.claim("k", "f")
    with pytest.raises(KeyTakenError):
        await receipts.claim("k", "another")


async def kept(receipts: MemoryReceipts, *keys: str, answer: bytes = b"a") -> None:
    for key in keys:
        await receipts.claim(key, "f")
        await receipts.keep(key, answer)


async def test_the_oldest_goes_when_there_are_too_many() -> None:
    receipts = MemoryReceipts(max_kept=2)
    await kept(receipts, "a", "b", "c")
    assert await receipts.claim("b", "f") == b"a"
    assert await receipts.claim("a", "f") is None


async def test_and_when_they_are_too_large() -> None:
    receipts = MemoryReceipts(max_bytes=10)
    await kept(receipts, "a", "b", "c", answer=b"12345")
    assert await receipts.claim("a", "f") is None
    assert await receipts.claim("c", "f") == b"12345"


async def test_after_a_day_it_is_forgotten() -> None:
    receipts = MemoryReceipts()
    await kept(receipts, "a")
    await anyio.sleep(KEPT + 1)
    assert await receipts.claim("a", "f") is None
