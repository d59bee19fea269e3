"""HTTP connections to an API server."""

import socket
from importlib.metadata import version
from ssl import SSLContext

import aiohttp

# Audit logs and priority levels of an API server key on it.
USER_AGENT = f"rollgraph/{version('rollgraph')}"

# The kernel asks a silent peer after 30 s, each 10 s, 3 times: dead after a minute.
KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 30, 10, 3


def new_session(tls: SSLContext | None, *, connections: int = 0) -> aiohttp.ClientSession:
    """A session, which the caller closes.

    Args:
        tls: What to trust, and whom to be; None for a server without TLS.
        connections: How many at most; 0 for no limit.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections,
            ssl=tls if tls is not None else True,
            socket_factory=_keepalive_socket,
        ),
        headers={"User-Agent": USER_AGENT},
        # Neither proxies nor a .netrc of the process's surroundings, which know no spokes.
        trust_env=False,
    )


def _keepalive_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, type_, protocol, _, _ = address
    made = socket.socket(family, type_, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
    ):
        if hasattr(socket, option):  # not by these names everywhere
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
