"""How fast callers may ask: each operation is paid for before it is executed, or refused.

Nothing waits here. Where there is a Redis, all gateways count together on it; while that does not
answer, each counts for itself, so that nobody is refused for it, and nobody gets more than as many
times the limit as there are gateways.
"""

import hashlib
import math
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

import anyio
import structlog

from rollgraph.core.budgets import Balance
from rollgraph.core.errors import BrokerError
from rollgraph.core.viewer import Login, Viewer
from rollgraph.ports import Budgets
from rollgraph.schema.limits.price import Paid, Price
from rollgraph.schema.scalars import format_time
from rollgraph.server.failures import OperationRefusedError

CODE = "RATE_LIMITED"

# Seconds that Redis gets to answer: queries take milliseconds, and wait for this.
ANSWER_WITHIN = 0.25
# Seconds until it is asked again after it has not.
AGAIN_AFTER = 5.0
# Callers to whom something is to be given back: when they ask the next time, usually at once.
MOST_OWED = 10_000

_log = structlog.get_logger(__name__)


class Rates:
    """What callers may spend.

    Args:
        local: What this process counts by itself.
        shared: What all gateways count together; None for a process that is alone.
        points: Points of a minute for queries and subscriptions; 0 for no limit.
        action_points: Points of a minute for mutations; 0 for no limit.
    """

    def __init__(
        self,
        local: Budgets,
        shared: Budgets | None = None,
        *,
        points: int,
        action_points: int,
    ) -> None:
        self._local = local
        self._shared = shared
        self._points = points
        self._action_points = action_points
        self._owed: OrderedDict[str, int] = OrderedDict()
        self._again_at = 0.0

    async def charge(self, viewer: Viewer, address: str, price: Price) -> Paid:
        """Takes the price of an operation. Raises `OperationRefusedError` if that is not there.

        Args:
            viewer: Who asks.
            address: Where they ask from, which stands for those who have not shown who they are.
            price: What the operation takes.
        """
        limit = self._action_points if price.acts else self._points
        if not limit:
            return Paid(price)
        whose = _whose(viewer, address, price)
        balance = await self._spend(whose, price.points, limit, self._owed.pop(whose, 0))
        if not balance.allowed:
            raise _too_fast(price, balance)
        return Paid(price, balance)

    def settle(self, viewer: Viewer, address: str, paid: Paid, objects: int) -> None:
        """Gives back what was taken for objects that the answer does not have.

        It is given back with what is taken the next time: nobody waits for it now.
        """
        back = paid.unused(objects)
        if not back:
            return
        whose = _whose(viewer, address, paid.price)
        self._owed[whose] = self._owed.pop(whose, 0) + back
        if len(self._owed) > MOST_OWED:
            self._owed.popitem(last=False)

    async def _spend(self, whose: str, points: int, limit: int, back: int) -> Balance:
        if self._shared is not None and anyio.current_time() >= self._again_at:
            try:
                with anyio.fail_after(ANSWER_WITHIN):
                    return await self._shared.spend(whose, points, limit, back)
            except (BrokerError, TimeoutError) as error:
                self._again_at = anyio.current_time() + AGAIN_AFTER
                reason = str(error) or f"no answer within {ANSWER_WITHIN:g} s"
                _log.warning("budgets_counted_alone", reason=reason, seconds=AGAIN_AFTER)
        return await self._local.spend(whose, points, limit, back)


def told(paid: Paid, now: datetime, objects: int | None = None) -> dict[str, Any]:
    """What `extensions.cost` says beside what the schema does.

    Args:
        paid: What was taken.
        now: The present.
        objects: Objects of the answer; None if that is not known, or nothing is given back.
    """
    price, balance = paid.price, paid.balance
    objects = None if price.dry else objects
    known: dict[str, Any] = {} if objects is None else {"actual": price.actual(objects)}
    if balance is None:
        return known
    back = 0 if objects is None else paid.unused(objects)
    after = Balance(allowed=True, limit=balance.limit, left=balance.left + back)
    reset_at = format_time(now + timedelta(seconds=after.full_in))
    return {
        **known,
        "limit": after.limit,
        "remaining": after.remaining,
        "resetAt": reset_at,
    }


def _whose(viewer: Viewer, address: str, price: Price) -> str:
    """The name of a budget, which tells nobody whose it is."""
    named = ("", address) if viewer.login is Login.NONE else (viewer.issuer, viewer.subject)
    digest = hashlib.sha256("\0".join(named).encode()).hexdigest()[:32]
    return f"{'actions' if price.acts else 'queries'}:{digest}"


def _too_fast(price: Price, balance: Balance) -> OperationRefusedError:
    seconds = max(1, math.ceil(balance.wait))
    what = "of actions " if price.acts else ""
    return OperationRefusedError(
        429,
        f"The request takes {price.points} points, and {balance.remaining} {what}are left of"
        f" {balance.limit} a minute: ask again in {seconds} s, or for less at once",
        CODE,
        {"Retry-After": str(seconds)},
        retryAfter=seconds,
        cost=price.points,
        remaining=balance.remaining,
        limit=balance.limit,
    )
