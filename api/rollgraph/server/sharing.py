"""What several processes share: on Redis, or in the memory of one that is alone."""

import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rollgraph.adapters.memory import MemoryBroker, MemoryReceipts
from rollgraph.adapters.memory.sessions import MemorySessions
from rollgraph.adapters.redis.auditlog import RedisAuditLog
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.budgets import RedisBudgets
from rollgraph.adapters.redis.documents import RedisDocuments
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.leases import RedisLeases
from rollgraph.adapters.redis.opening import Client, greet, open_redis
from rollgraph.adapters.redis.receipts import RedisReceipts
from rollgraph.adapters.redis.secret import shared_secret
from rollgraph.adapters.redis.sessions import RedisSessions
from rollgraph.adapters.redis.urls import place
from rollgraph.core.errors import BrokerError, ConfigError
from rollgraph.ports import (
    AuditLog,
    Broker,
    Budgets,
    Clock,
    DocumentStore,
    Leases,
    Receipts,
    SessionStore,
    SpokeSource,
)
from rollgraph.server.auth.sealing import sealing
from rollgraph.server.settings import Redis, Settings, Workers
from rollgraph.spokes.shift import Shift

# Seconds by which a request's claim of its key outlives the time that a mutation may take.
MARGIN = 30.0


class Role(StrEnum):
    """What a process does: all of it, only watch, or only answer."""

    SERVE = "serve"
    WORKER = "worker"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Shared:
    """What is shared.

    Attributes:
        broker: Carries what workers know to gateways.
        receipts: What came of requests that may be repeated.
        sessions: The logins of browsers.
        tickets: What tickets of bulk actions are signed with; None for a key of this process.
        leases: Who watches which spoke; None in a process that is alone.
        budgets: What callers may still spend; None in a process that is alone.
        documents: Those that callers ask for by their hash; None in a process that is alone.
        audit: Who did what, by whichever gateway; None in a process that is alone.
        beside: What must run as long as it is used, until cancelled.
    """

    broker: Broker
    receipts: Receipts
    sessions: SessionStore
    tickets: bytes | None = None
    leases: Leases | None = None
    budgets: Budgets | None = None
    documents: DocumentStore | None = None
    audit: AuditLog | None = None
    beside: Sequence[Callable[[], Awaitable[None]]] = ()


def alone(clock: Clock) -> Shared:
    """That of a process which shares nothing."""
    return Shared(MemoryBroker(), MemoryReceipts(), MemorySessions(clock))


@asynccontextmanager
async def opened(settings: Settings, role: Role, clock: Clock) -> AsyncIterator[Shared]:
    """What the settings ask for, until left.

    Raises `ConfigError` for settings that make no sense, and `BrokerError` if there is no Redis
    where they say: at the start nothing is known that could be answered from memory.
    """
    given = settings.redis
    if not given.url:
        if role is not Role.SERVE:
            raise ConfigError(
                f"redis.url (--redis): expected where the Redis is that `rollgraph {role}` shares"
                " with others, as redis://HOST:PORT"
            )
        yield alone(clock)
        return
    seals = sealing(settings) if role is not Role.WORKER else None
    client = _client(given)
    keys = Keys(given.prefix)
    try:
        try:
            await greet(client)
            tickets = await shared_secret(client, keys.tickets)
        except BrokerError as error:
            raise BrokerError(
                f"redis.url (--redis): {place(given.url)}: {error}; expected a Redis 7 or later"
                " that answers there"
            ) from error
        audit = None  # of a worker, which does nothing that is audited
        if role is not Role.WORKER:
            audit = RedisAuditLog(client, clock, max_rows=settings.audit.rows, keys=keys)
        yield Shared(
            RedisBroker(client, keys=keys),
            RedisReceipts(client, running=settings.limits.action_timeout + MARGIN, keys=keys),
            RedisSessions(client, clock, seals, keys=keys) if seals else MemorySessions(clock),
            tickets,
            RedisLeases(client, keys=keys),
            RedisBudgets(client, keys=keys),
            RedisDocuments(client, settings.documents.most, keys=keys),
            audit,
            [audit.run] if audit is not None else [],
        )
        if audit is not None:
            await audit.close()
    finally:
        await client.aclose()


def shift(settings: Workers, spokes: SpokeSource, leases: Leases) -> tuple[Shift, str]:
    """The spokes that are this worker's, and its name, which is never used twice."""
    # A name alone would let a process that was stopped for long and its successor be one worker.
    worker = f"{settings.name or socket.gethostname()}.{secrets.token_hex(4)}"
    pins = dict(pin.split("=", 1) for pin in settings.pins)
    return Shift(spokes, leases, worker, pins), worker


def _client(given: Redis) -> Client:
    files = {
        "ca_file": given.ca_file,
        "cert_file": given.cert_file,
        "key_file": given.key_file,
    }
    for name, file in files.items():
        if file is not None:
            _read(name, file)
    password = _read("password_file", given.password_file) if given.password_file else ""
    try:
        return open_redis(given.url, password.strip(), **files)
    except ConfigError as error:
        raise ConfigError(f"redis.url (--redis): {error}") from error


def _read(name: str, file: Path) -> str:
    """A file that a setting of `redis` names."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        flag = f"--redis-{name.replace('_', '-')}"
        raise ConfigError(f"redis.{name} ({flag}): {file} cannot be read: {reason}") from error
