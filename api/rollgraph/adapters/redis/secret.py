"""A secret that all gateways share, made by the first of them."""

import os

from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.opening import Client

BYTES = 32


async def shared_secret(redis: Client, key: str) -> bytes:
    """The secret that is kept under a key. Raises `BrokerError`.

    A Redis that has lost its data is given a new one: what the old one has signed is worth nothing
    then at gateways that start later.
    """
    with translated("shared secret"):
        made = os.urandom(BYTES)
        found = await redis.set(key, made, nx=True, get=True)
    return found if isinstance(found, bytes) else made
