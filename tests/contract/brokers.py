"""The brokers and leases that contracts are held against."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from contract.servers import REDISES, OnDemand, client
from rollgraph.adapters.memory import MemoryBroker, MemoryLeases
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.leases import RedisLeases
from rollgraph.ports import Broker, Leases

# Facts that a log keeps in these tests, more or less: Redis trims in blocks of a hundred.
LOG = 100
# Seconds that a lease lasts here.
LASTS = 0.5


class Shared(msgspec.Struct, frozen=True):
    """A broker, and the leases that are taken for its feeds."""

    broker: Broker
    leases: Leases


@asynccontextmanager
async def in_memory(_: OnDemand) -> AsyncIterator[Shared]:
    """The one of a single process."""
    broker = MemoryBroker(log=LOG)
    yield Shared(broker, MemoryLeases(broker, lasts=LASTS))


def on(kind: str) -> "Open":
    """The one of several processes, on an empty Redis."""

    @asynccontextmanager
    async def opened(servers: OnDemand) -> AsyncIterator[Shared]:
        async with client(kind, servers) as redis:
            yield Shared(RedisBroker(redis, log=LOG), RedisLeases(redis, lasts=LASTS))

    return opened


Open = Callable[[OnDemand], AbstractAsyncContextManager[Shared]]
BROKERS: dict[str, Open] = {"memory": in_memory} | {kind: on(kind) for kind in REDISES}
