"""Budgets in memory are bounded, and forgotten once they are full again."""

import anyio

from rollgraph.adapters.memory.budgets import MemoryBudgets

LIMIT = 600


async def test_who_has_been_quiet_longest_makes_room() -> None:
    budgets = MemoryBudgets(most=2)
    await budgets.spend("ann", 300, LIMIT)
    await budgets.spend("bob", 300, LIMIT)
    await budgets.spend("ann", 100, LIMIT)
    await budgets.spend("cem", 300, LIMIT)
    assert len(budgets) == 2
    assert (await budgets.spend("ann", 0, LIMIT)).remaining == 200
    assert (await budgets.spend("bob", 0, LIMIT)).remaining == LIMIT


async def test_nothing_is_kept_of_who_has_all_points_again() -> None:
    budgets = MemoryBudgets()
    for number in range(100):
        await budgets.spend(f"viewer-{number}", LIMIT, LIMIT)
    await anyio.sleep(61)
    await budgets.spend("ann", 1, LIMIT)
    assert len(budgets) == 1
