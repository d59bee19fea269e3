"""A client for Redis, as all that is on it wants one."""

from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from rollgraph.adapters.redis.failures import translated
from rollgraph.core.errors import BrokerError, ConfigError

# Seconds that an answer may take. A lease lasts 8: two such waits must not cost one.
ANSWER_WITHIN = 3.0
# Repetitions of what failed, with a wait of some 10 to 100 ms before each: enough for a connection
# that was cut. Whoever asks has patience of their own for a server that is away.
RETRIES = 2
# Connections of one process. A worker of 300 spokes writes to some of them at a time; who finds
# none free waits for one as long as for an answer.
CONNECTIONS = 32
# Seconds without traffic after which a connection is tried before it is used (redis-py #2417: a
# network that is dead looks like one where nothing happens).
TRY_AFTER = 5
OLDEST = 7

# What `open_redis` gives, for those who must not know redis-py.
Client: TypeAlias = Redis

_log = structlog.get_logger(__name__)


def open_redis(url: str, password: str = "", ca_file: Path | None = None) -> Redis:
    """A client, not connected yet; whoever opens it closes it.

    Args:
        url: `redis://` or, for TLS, `rediss://`, with host and perhaps port, user and number of
            the database. No error repeats it, for it may hold a password.
        password: Instead of the URL's.
        ca_file: Certificates, in PEM, of authorities to believe instead of the system's.

    Raises `ConfigError` for a URL that is none.
    """
    secure = _check(url)
    options: dict[str, Any] = {}
    if password:
        options["password"] = password
    if secure and ca_file is not None:
        options["ssl_ca_certs"] = str(ca_file)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_WITHIN,
        socket_timeout=ANSWER_WITHIN,
        socket_connect_timeout=ANSWER_WITHIN,
        health_check_interval=TRY_AFTER,
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), RETRIES),
        client_name="rollgraph",
        **options,
    )
    return Redis.from_pool(pool)


def place(url: str) -> str:
    """Where a URL leads, without its secrets: `host:port`."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"


async def greet(redis: Redis) -> None:
    """Sees that a server answers and is of use.

    Raises `BrokerError`.
    """
    with translated("first question"):
        found = await redis.info("server")
        version = str(found["redis_version"])
        if int(version.partition(".")[0]) < OLDEST:
            raise BrokerError(f"expected Redis {OLDEST} or later; it is {version}")
        memory = await redis.info("memory")
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and policy != "noeviction":
        _log.warning(
            "redis_evicts",
            policy=policy,
            advice="set maxmemory-policy to noeviction: what is forgotten has to be sent again",
        )


def _check(url: str) -> bool:
    """Whether it asks for TLS. Raises `ConfigError`."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"redis", "rediss"} and bool(parts.hostname)
        _ = parts.port, int(parts.path.strip("/") or 0)
    except ValueError:
        good = False
    if not good:
        raise ConfigError("expected redis://HOST:PORT, or rediss://HOST:PORT for TLS")
    return parts.scheme == "rediss"
