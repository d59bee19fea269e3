"""A script that Redis runs in one step, on whichever server has its keys."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from redis.exceptions import NoScriptError

from rollgraph.adapters.redis.opening import Client

# What a script is told: its keys, all of one hash tag, and its arguments.
Told: TypeAlias = tuple[Sequence[str], Sequence[str | bytes | float]]


class Script:
    """A script, sent once to each server and named by its hash from then on.

    redis-py's own sends it to all servers of a cluster as soon as one does not know it, and fails
    if any of them is away.

    Args:
        redis: The client.
        text: In Lua.
    """

    def __init__(self, redis: Client, text: str) -> None:
        self._redis = redis
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], told: Sequence[str | bytes | float]) -> Any:
        """What it answers."""
        try:
            return await cast("Any", self._redis.evalsha(self._sha, len(keys), *keys, *told))
        except NoScriptError:
            return await cast("Any", self._redis.eval(self._text, len(keys), *keys, *told))

    async def each(self, told: Mapping[str, Told]) -> dict[str, Any]:
        """What it answers to each of these, in one round trip and the order in which they are."""
        found = await self._pipelined("EVALSHA", self._sha, told)
        unknown = {name: told[name] for name in told if isinstance(found[name], NoScriptError)}
        found |= await self._pipelined("EVAL", self._text, unknown)
        for answer in found.values():
            if isinstance(answer, Exception):
                raise answer
        return found

    async def _pipelined(self, command: str, what: str, told: Mapping[str, Told]) -> dict[str, Any]:
        if not told:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for keys, arguments in told.values():
                pipe.execute_command(command, what, len(keys), *keys, *arguments)
            return dict(zip(told, await pipe.execute(raise_on_error=False), strict=True))
