"""A Redis that does what it is told, and whose answers get lost."""

from typing import Any, cast

from redis.exceptions import ConnectionError as ConnectionLostError

from rollgraph.adapters.redis.opening import Client


class Unheard:
    """A client of which every second script is run, and its answer lost.

    Args:
        redis: Who runs them.
        keys: How many keys the scripts have that this happens to.
    """

    def __init__(self, redis: Client, keys: int) -> None:
        self._redis = cast("Any", redis)
        self._keys = keys
        self.lost = 0
        self._heard = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def evalsha(self, sha: str, keys: int, *told: Any) -> Any:
        return self._answered(keys, await self._redis.evalsha(sha, keys, *told))

    async def eval(self, text: str, keys: int, *told: Any) -> Any:
        return self._answered(keys, await self._redis.eval(text, keys, *told))

    def _answered(self, keys: int, answer: Any) -> Any:
        if keys == self._keys:
            self._heard = not self._heard
            if not self._heard:
                self.lost += 1
                raise ConnectionLostError("Connection closed by server.")
        return answer
