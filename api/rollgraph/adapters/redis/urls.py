"""Where a Redis is, as an operator writes it."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from rollgraph.core.errors import ConfigError

PORT = 6379
FORMS = (
    "redis://HOST:PORT, or rediss://HOST:PORT for TLS;"
    " redis+cluster://HOST:PORT,HOST:PORT or rediss+cluster:// for a cluster"
)
_URL = re.compile(
    r"(?P<scheme>rediss?(?:\+cluster)?)://"
    r"(?:(?P<user>[^:@]*)(?::(?P<password>.*))?@)?(?P<nodes>[^/?#@]+)(?:/(?P<database>[0-9]*))?"
)
_NODE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says.

    Attributes:
        nodes: Host and port of the server; in a cluster, of some of them, which know the others.
        secure: Whether by TLS.
        cluster: Whether it is a Redis Cluster.
        user: "" for the default one.
        password: "" for none. A secret: it is never part of a text.
        database: Its number; a cluster has none but 0.
    """

    nodes: tuple[tuple[str, int], ...]
    secure: bool = False
    cluster: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    database: int = 0


def address(url: str) -> Address:
    """Reads a URL. Raises `ConfigError`, which does not repeat it, for it may hold a password."""
    if url.startswith(("redis+sentinel:", "rediss+sentinel:", "sentinel:")):
        raise ConfigError(
            "Redis Sentinel is not supported: expected a single Redis, or a cluster, which fails"
            f" over by itself: {FORMS}"
        )
    found = _URL.fullmatch(url)
    nodes = [_NODE.fullmatch(node) for node in found["nodes"].split(",")] if found else []
    if not found or not all(nodes):
        raise ConfigError(f"expected {FORMS}")
    kind, _, form = found["scheme"].partition("+")
    read = Address(
        tuple((node["host"].strip("[]"), int(node["port"] or PORT)) for node in nodes if node),
        secure=kind == "rediss",
        cluster=form == "cluster",
        user=unquote(found["user"] or ""),
        password=unquote(found["password"] or ""),
        database=int(found["database"] or 0),
    )
    if any(not 0 < port < 65536 for _, port in read.nodes):
        raise ConfigError("expected a port between 1 and 65535")
    if read.cluster and read.database:
        raise ConfigError("a Redis Cluster has no database but 0: expected no number at the end")
    if not read.cluster and len(read.nodes) > 1:
        raise ConfigError("expected one HOST:PORT, or redis+cluster:// before several")
    return read


def place(url: str) -> str:
    """Where a URL leads, without its secrets: `host:port`, with commas between several."""
    return ",".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in address(url).nodes
    )
