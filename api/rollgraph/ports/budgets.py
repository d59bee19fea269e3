"""How fast each may ask."""

from typing import Protocol

from rollgraph.core.budgets import Balance


class Budgets(Protocol):
    """What each has left to spend, as `core.budgets` counts it.

    Who has not spent anything for a minute has all of it; so nothing is kept for longer than that.
    """

    async def spend(self, whose: str, points: int, limit: int, back: int = 0) -> Balance:
        """Spends points, all of them or none, in one step.

        Raises `BrokerError` if what keeps them does not answer; nobody knows then whether they were
        spent.

        Args:
            whose: Who spends, and what for: each has a budget of its own. It is not to be guessed
                by who reads it where it is kept.
            points: How many.
            limit: How many there are at most, and come back in a minute.
            back: Points spent before that are given back first.
        """
        ...
