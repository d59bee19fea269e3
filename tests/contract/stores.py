"""What gateways keep of callers, in memory and on Redis, to be held to one contract each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from contract.servers import REDISES, OnDemand, client
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.memory import MemoryReceipts
from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.adapters.memory.documents import MemoryDocuments
from rollgraph.adapters.memory.sessions import MemorySessions
from rollgraph.adapters.redis.budgets import RedisBudgets
from rollgraph.adapters.redis.documents import RedisDocuments
from rollgraph.adapters.redis.receipts import RedisReceipts
from rollgraph.adapters.redis.sessions import RedisSessions
from rollgraph.adapters.sealing import JweSealing
from rollgraph.ports import Budgets, DocumentStore, Receipts, SessionStore

# How many of each are kept here.
MOST = 3
DOCUMENT_BYTES = 1000
SEALS = JweSealing([b"k" * 32])
KINDS = ("memory", *REDISES)


class Stores(msgspec.Struct, frozen=True):
    """As two gateways see them: the second one looks at the same."""

    receipts: tuple[Receipts, Receipts]
    sessions: tuple[SessionStore, SessionStore]
    budgets: tuple[Budgets, Budgets]
    documents: tuple[DocumentStore, DocumentStore]


@asynccontextmanager
async def stores(kind: str, servers: OnDemand) -> AsyncIterator[Stores]:
    """Empty ones."""
    clock = SystemClock()
    if kind == "memory":
        receipts, sessions = MemoryReceipts(max_kept=MOST), MemorySessions(clock, most=MOST)
        budgets, documents = MemoryBudgets(), MemoryDocuments(MOST, DOCUMENT_BYTES)
        yield Stores(
            (receipts, receipts), (sessions, sessions), (budgets, budgets), (documents, documents)
        )
        return
    async with client(kind, servers) as redis:
        yield Stores(
            (RedisReceipts(redis, most=MOST), RedisReceipts(redis, most=MOST)),
            (RedisSessions(redis, clock, SEALS, MOST), RedisSessions(redis, clock, SEALS, MOST)),
            (RedisBudgets(redis), RedisBudgets(redis)),
            (
                RedisDocuments(redis, MOST, DOCUMENT_BYTES),
                RedisDocuments(redis, MOST, DOCUMENT_BYTES),
            ),
        )
