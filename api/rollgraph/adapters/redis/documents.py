"""Documents by their hash, for all gateways together: what one was sent, the others know."""

from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.documents import digest as digest_of

# As in memory.
MOST, MAX_BYTES = 5000, 16 * 1024 * 1024
KEYS = Keys()

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
"""

# KEYS: texts, when each was used, bytes of all. ARGV: hash, text, how many are kept, and how many
# bytes. One of the three may have been deleted, or evicted: without it the others say nothing.
PUT = (
    _NOW
    + """
if redis.call('EXISTS', unpack(KEYS)) < #KEYS then
  redis.call('DEL', unpack(KEYS))
end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('INCRBY', KEYS[3], #ARGV[2])
end
redis.call('ZADD', KEYS[2], now, ARGV[1])
while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3])
    or tonumber(redis.call('GET', KEYS[3])) > tonumber(ARGV[4]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], oldest))
  redis.call('HDEL', KEYS[1], oldest)
end
"""
)

# KEYS: texts, when each was used. ARGV: hash.
GET = (
    _NOW
    + """
local found = redis.call('HGET', KEYS[1], ARGV[1])
if found then
  redis.call('ZADD', KEYS[2], now, ARGV[1])
end
return found
"""
)


class RedisDocuments:
    """A `ports.DocumentStore` on Redis.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        most: Documents that are kept.
        max_bytes: Bytes of them.
        keys: Where things are.
    """

    def __init__(
        self, redis: Client, most: int = MOST, max_bytes: int = MAX_BYTES, keys: Keys = KEYS
    ) -> None:
        self._most = most
        self._max_bytes = max_bytes
        self._keys = keys.documents
        self._get = Script(redis, GET)
        self._put = Script(redis, PUT)

    async def get(self, digest: str) -> str | None:
        """See `ports.DocumentStore`."""
        with translated("document by its hash"):
            found = await self._get(self._keys[:2], [digest])
        # Who writes there could put another document in its place.
        text = found.decode(errors="replace") if isinstance(found, bytes) else None
        return text if text is not None and digest_of(text) == digest else None

    async def put(self, digest: str, text: str) -> None:
        """See `ports.DocumentStore`."""
        if len(text.encode()) > self._max_bytes or digest_of(text) != digest:
            return
        with translated("document by its hash"):
            await self._put(self._keys, [digest, text, self._most, self._max_bytes])
