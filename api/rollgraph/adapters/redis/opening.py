"""A client for Redis, as all that is on it wants one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from rollgraph.adapters.redis.cluster import Cluster
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.urls import Address, address
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
Client: TypeAlias = Redis | Cluster

_log = structlog.get_logger(__name__)


def open_redis(
    url: str,
    password: str = "",
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
) -> Client:
    """A client, not connected yet; whoever opens it closes it.

    Args:
        url: See `urls`.
        password: Instead of the URL's.
        ca_file: Certificates, in PEM, of authorities to believe instead of the system's.
        cert_file: The certificate, in PEM, to show to a server that asks for one.
        key_file: Its key, if that is not in the same file.

    Raises `ConfigError` for a URL that is none.
    """
    where = address(url)
    options: dict[str, Any] = {
        "username": where.user or None,
        "password": password or where.password or None,
        "socket_timeout": ANSWER_WITHIN,
        "socket_connect_timeout": ANSWER_WITHIN,
        "health_check_interval": TRY_AFTER,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), RETRIES),
        "client_name": "rollgraph",
    }
    files = {"ssl_ca_certs": ca_file, "ssl_certfile": cert_file, "ssl_keyfile": key_file}
    given = {name: str(file) for name, file in files.items() if file is not None}
    if given and not where.secure:
        raise ConfigError("certificates are given, but no TLS is asked for: expected rediss://")
    # Read anew for each connection: whoever renews them need not start anything again.
    options |= given
    if where.cluster:
        return Cluster(where.nodes, ssl=where.secure, **options)
    return _single(where, options)


async def greet(redis: Client) -> None:
    """Sees that a server answers and is of use; in a cluster, that all that hold data are.

    Raises `BrokerError`.
    """
    with translated("first question"):
        found = await _of_each(redis, "server")
        for server in found:
            version = str(server["redis_version"])
            if int(version.partition(".")[0]) < OLDEST:
                raise BrokerError(f"expected Redis {OLDEST} or later; it is {version}")
        if not isinstance(redis, Cluster) and found[0].get("redis_mode") == "cluster":
            raise BrokerError("it is one of a cluster: expected redis+cluster://HOST:PORT")
        memory = await _of_each(redis, "memory")
    for server in memory:
        policy = server.get("maxmemory_policy", "noeviction")
        if server.get("maxmemory") and policy != "noeviction":
            _log.warning(
                "redis_evicts",
                policy=policy,
                advice="set maxmemory-policy to noeviction: what is forgotten has to be sent again",
            )
            break


def _single(where: Address, options: Mapping[str, Any]) -> Redis:
    host, port = where.nodes[0]
    pool = BlockingConnectionPool(
        connection_class=SSLConnection if where.secure else Connection,
        max_connections=CONNECTIONS,
        timeout=ANSWER_WITHIN,
        host=host,
        port=port,
        db=where.database,
        **options,
    )
    return Redis.from_pool(pool)


async def _of_each(redis: Client, section: str) -> list[Mapping[str, Any]]:
    """A section of INFO, of each server that holds data."""
    if not isinstance(redis, Cluster):
        return [await cast("Any", redis.info(section))]
    found = await cast("Any", redis.info(section, target_nodes=Cluster.PRIMARIES))
    several = all(isinstance(value, dict) for value in found.values())
    return list(found.values()) if several else [found]
