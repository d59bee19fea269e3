"""What came of requests that may be repeated, for all gateways together."""

import secrets
from typing import Any, cast

import anyio

from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.errors import KeyTakenError

# Seconds: as in memory.
KEPT = 24 * 3600.0
# Seconds after which a request whose gateway has died counts as over. Nobody knows then whether it
# was carried out; longer than a mutation may take.
RUNNING = 120.0
# Answers that are kept: some 40 MiB.
MOST = 20_000
# Seconds between two looks whether a request is over that is under way elsewhere.
LOOK_EVERY = 0.1
KEYS = Keys()

# KEYS: a receipt. ARGV: fingerprint, the owner's name, ms that a running request may take. Answers
# 'mine', 'taken' for another request's key, 'wait', or 'kept' and the answer.
CLAIM = """
local found = redis.call('HMGET', KEYS[1], 'fingerprint', 'owner', 'answer')
if not found[1] then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'owner', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'mine'}
elseif found[1] ~= ARGV[1] then
  return {'taken'}
elseif found[3] then
  return {'kept', found[3]}
end
return {'wait'}
"""

# KEYS: a receipt, all receipts. ARGV: the owner's name, the answer, ms to keep it, how many are
# kept. What another owns by now stays. All keys have one hash tag, also those that are deleted.
KEEP = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'owner')
redis.call('HSET', KEYS[1], 'answer', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], KEYS[1])
local more = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if more > 0 then
  for at, key in ipairs(redis.call('ZPOPMIN', KEYS[2], more)) do
    if at % 2 == 1 then
      redis.call('DEL', key)
    end
  end
end
return 1
"""

# KEYS: a receipt. ARGV: the owner's name.
RELEASE = """
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class RedisReceipts:
    """A `ports.Receipts` on Redis. Every method raises `BrokerError` if that does not answer.

    A claim whose gateway has died is given back after some time.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        running: Seconds that a claimed key is waited for.
        most: Answers that are kept.
        keys: Where things are.
    """

    def __init__(
        self, redis: Client, *, running: float = RUNNING, most: int = MOST, keys: Keys = KEYS
    ) -> None:
        self._running = str(round(running * 1000))
        self._most = str(most)
        self._keys = keys
        self._owners: dict[str, str] = {}
        self._claim = Script(redis, CLAIM)
        self._keep = Script(redis, KEEP)
        self._release = Script(redis, RELEASE)

    async def claim(self, key: str, fingerprint: str) -> bytes | None:
        """See `ports.Receipts`."""
        owner = secrets.token_hex(8)
        while True:
            with translated("claim of an idempotency key"):
                told = [fingerprint, owner, self._running]
                found = await self._claim([self._keys.receipt(key)], told)
            if found[0] == b"mine":
                self._owners[key] = owner
                return None
            if found[0] == b"kept":
                return cast("bytes", found[1])
            if found[0] == b"taken":
                raise KeyTakenError(
                    "this idempotency key was used for another request: take a new key for each"
                    " request"
                )
            await anyio.sleep(LOOK_EVERY)

    async def keep(self, key: str, answer: bytes) -> None:
        """See `ports.Receipts`."""
        told: list[Any] = [self._owners.pop(key), answer, round(KEPT * 1000), self._most]
        with translated("answer of an idempotency key"):
            await self._keep([self._keys.receipt(key), self._keys.receipts], told)

    async def release(self, key: str) -> None:
        """See `ports.Receipts`."""
        with translated("release of an idempotency key"):
            await self._release([self._keys.receipt(key)], [self._owners.pop(key)])
