"""How fast each may ask, as one process sees it."""

from collections import OrderedDict

import anyio

from rollgraph.core.budgets import PERIOD, Balance, Bucket, spend

# Callers at a time, of some 200 bytes each. Beyond, who has been quiet longest begins anew.
MOST = 10_000


class MemoryBudgets:
    """A `ports.Budgets`.

    Args:
        most: Callers that are remembered.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        # The longest quiet first.
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._buckets)

    async def spend(self, whose: str, points: int, limit: int, back: int = 0) -> Balance:
        """See `ports.Budgets`."""
        now = anyio.current_time()
        bucket, balance = spend(self._buckets.get(whose), now, points, limit, back)
        self._buckets[whose] = bucket
        self._buckets.move_to_end(whose)
        self._forget(now)
        return balance

    def _forget(self, now: float) -> None:
        while self._buckets:
            oldest, bucket = next(iter(self._buckets.items()))
            if len(self._buckets) <= self._most and bucket.at + PERIOD > now:
                return
            del self._buckets[oldest]
