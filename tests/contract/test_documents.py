"""What every `DocumentStore` does, whichever gateway asks."""

from collections.abc import AsyncIterator

import pytest

from contract.servers import OnDemand
from contract.stores import DOCUMENT_BYTES, KINDS, MOST, stores
from rollgraph.core.documents import digest
from rollgraph.ports import DocumentStore

pytestmark = pytest.mark.looptime(False)

QUERY = '{ rollouts { nodes { name } } } # "Übergröße" 🚀'


@pytest.fixture(params=KINDS)
async def two(
    request: pytest.FixtureRequest, server: OnDemand
) -> AsyncIterator[tuple[DocumentStore, DocumentStore]]:
    async with stores(request.param, server) as found:
        yield found.documents


async def put(store: DocumentStore, text: str) -> str:
    await store.put(digest(text), text)
    return digest(text)


async def test_what_one_was_told_all_know(two: tuple[DocumentStore, DocumentStore]) -> None:
    one, other = two
    known = await put(one, QUERY)
    assert await one.get(known) == QUERY
    assert await other.get(known) == QUERY
    assert await other.get(digest("{ another }")) is None


async def test_nothing_is_kept_under_a_hash_that_is_not_its_own(
    two: tuple[DocumentStore, DocumentStore],
) -> None:
    one, _ = two
    await one.put(digest("{ mine }"), "{ yours }")
    assert await one.get(digest("{ mine }")) is None


async def test_what_nobody_has_asked_for_longest_makes_room(
    two: tuple[DocumentStore, DocumentStore],
) -> None:
    one, other = two
    known = [await put(one, f"{{ field{number} }}") for number in range(MOST)]
    assert await other.get(known[0])
    await put(one, "{ another }")
    assert await one.get(known[0])
    assert await one.get(known[1]) is None


async def test_their_bytes_are_bounded_too(two: tuple[DocumentStore, DocumentStore]) -> None:
    one, _ = two
    half = DOCUMENT_BYTES // 2
    first = await put(one, "a" * half)
    second = await put(one, "b" * half)
    third = await put(one, "c")
    assert await one.get(first) is None
    assert await one.get(second)
    assert await one.get(third)


async def test_what_is_larger_than_all_room_is_not_kept_and_costs_the_others_nothing(
    two: tuple[DocumentStore, DocumentStore],
) -> None:
    one, _ = two
    known = await put(one, QUERY)
    large = await put(one, "x" * (DOCUMENT_BYTES + 1))
    assert await one.get(large) is None
    assert await one.get(known) == QUERY


async def test_a_document_that_is_sent_again_takes_no_more_room(
    two: tuple[DocumentStore, DocumentStore],
) -> None:
    one, other = two
    half = DOCUMENT_BYTES // 2
    for store in (one, other, one, other):
        known = await put(store, "a" * half)
    assert await one.get(known)
    kept = await put(one, "b" * (half - 1))
    assert await one.get(known)
    assert await one.get(kept)
