"""The logins of browsers, for all gateways together: they outlive each of them."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any

import anyio
import msgspec

from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.errors import BrokerError, IdentityProviderError
from rollgraph.core.session import Session
from rollgraph.ports import Clock, Sealing

# Logins at once, as in memory.
MOST = 10_000
# Seconds after which the turn of whoever died with it is over: no provider's answer takes longer.
TURN = 30.0
# Seconds between two looks whose turn it is, and that the end of one may take.
LOOK_EVERY = 0.1
END_WITHIN = 1.0
KEYS = Keys()

# KEYS: a login, all logins. ARGV: the login, ms until it ends, how many are kept. All keys have one
# hash tag, also those that are deleted.
PUT = """
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], KEYS[1])
local more = redis.call('ZCARD', KEYS[2]) - ARGV[3]
if more > 0 then
  for at, key in ipairs(redis.call('ZPOPMIN', KEYS[2], more)) do
    if at % 2 == 1 then
      redis.call('DEL', key)
    end
  end
end
"""

# KEYS: as before.
GET = """
local found = redis.call('GET', KEYS[1])
if found then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], KEYS[1])
else
  redis.call('ZREM', KEYS[2], KEYS[1])
end
return found
"""

# KEYS: as before.
DROP = """
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])
"""

# KEYS: a turn. ARGV: the name of whoever has it.
END = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    # Who writes Redis may put one person's login in the place of another's.
    key: str
    session: Session
    until: datetime


_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(_Kept)


class RedisSessions:
    """A `ports.SessionStore` on Redis, which learns nothing of the tokens of people.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        clock: Tells the time.
        sealing: Seals each login.
        most: Logins that are kept.
        keys: Where things are.
    """

    def __init__(
        self,
        redis: Client,
        clock: Clock,
        sealing: Sealing,
        most: int = MOST,
        keys: Keys = KEYS,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._sealing = sealing
        self._most = most
        self._keys = keys
        self._put = Script(redis, PUT)
        self._get = Script(redis, GET)
        self._drop = Script(redis, DROP)
        self._end = Script(redis, END)

    async def get(self, key: str) -> Session | None:
        """Of the port."""
        with _told():
            found = await self._get([self._keys.session(key), self._keys.sessions], [])
        kept = self._read(key, found)
        return kept.session if kept is not None and kept.until > self._clock.now() else None

    async def put(self, key: str, session: Session, until: datetime) -> None:
        """Of the port."""
        left = round((until - self._clock.now()).total_seconds() * 1000)
        sealed = self._sealing.seal(_encode(_Kept(key, session, until)))
        told: list[Any] = [sealed, max(left, 1), self._most]
        with _told():
            await self._put([self._keys.session(key), self._keys.sessions], told)

    async def drop(self, key: str) -> None:
        """Of the port."""
        with _told():
            await self._drop([self._keys.session(key), self._keys.sessions], [])

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Of the port."""
        place, name = self._keys.turn(key), secrets.token_hex(8)
        with _told():
            while True:
                if await self._redis.set(place, name, nx=True, px=round(TURN * 1000)):
                    break
                await anyio.sleep(LOOK_EVERY)
        try:
            yield
        finally:
            end = anyio.move_on_after(END_WITHIN, shield=True)
            with end, suppress(IdentityProviderError), _told():
                await self._end([place], [name])

    def _read(self, key: str, found: bytes | None) -> _Kept | None:
        """A login; None for one of another version or key, whose person logs in again."""
        plain = self._sealing.unseal(found) if found is not None else None
        try:
            kept = _kept.decode(plain) if plain is not None else None
        except msgspec.DecodeError:
            return None
        return kept if kept is not None and kept.key == key else None


@contextmanager
def _told() -> Iterator[None]:
    try:
        with translated("logins"):
            yield
    except BrokerError as error:
        raise IdentityProviderError(f"logins of browsers cannot be looked up: {error}") from error
