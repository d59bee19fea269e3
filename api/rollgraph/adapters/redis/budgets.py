"""How fast each may ask, for all gateways together."""

from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.budgets import PERIOD, Balance

KEYS = Keys()

# KEYS: a budget. ARGV: points, limit, points to give back, seconds in which all come back. As
# `core.budgets.spend`, on the server's time. A budget that has filled up is forgotten. Numbers go
# as text: Redis cuts them to whole ones on their way out, and Lua writes them with 14 digits.
SPEND = """
local points, limit, back, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local left = limit
local found = redis.call('HMGET', KEYS[1], 'left', 'at')
if found[1] then
  local passed = math.max(0, now - tonumber(found[2])) / 1000000
  left = math.min(limit, tonumber(found[1]) + back + passed * limit / period)
end
local wanted = math.min(points, limit)
local allowed, wait = 1, 0
if wanted > left then
  allowed, wait = 0, (wanted - left) / limit * period
else
  left = left - wanted
end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((limit - left) / limit * period * 1000) + 1)
return {allowed, string.format('%.6f', left), string.format('%.6f', wait)}
"""


class RedisBudgets:
    """A `ports.Budgets` on Redis.

    There are as many as callers who have asked in the last minute: each lasts until it is full.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        keys: Where things are.
    """

    def __init__(self, redis: Client, keys: Keys = KEYS) -> None:
        self._keys = keys
        self._spend = Script(redis, SPEND)

    async def spend(self, whose: str, points: int, limit: int, back: int = 0) -> Balance:
        """See `ports.Budgets`."""
        with translated("budget of a caller"):
            told = [points, limit, back, round(PERIOD)]
            allowed, left, wait = await self._spend([self._keys.budget(whose)], told)
        return Balance(allowed=bool(allowed), limit=limit, left=float(left), wait=float(wait))
