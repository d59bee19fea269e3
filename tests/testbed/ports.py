"""Free loopback ports that stay ours while a server is down between two starts."""

import random
import socket
from pathlib import Path

from testbed.errors import TestbedError

LOOPBACK = "127.0.0.1"
LOWEST = 20_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
ATTEMPTS = 200

_given: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on and that this process has not handed out before.

    It lies below the kernel's ephemeral range, so no outgoing connection takes the port of a
    server that a fault test has stopped.

    Raises:
        TestbedError: when no port was free in 200 attempts.
    """
    highest = _ephemeral_start()
    for _ in range(ATTEMPTS):
        port = random.randrange(LOWEST, highest)
        if port not in _given and _bindable(port):
            _given.add(port)
            return port
    raise TestbedError(
        f"no free port on {LOOPBACK} between {LOWEST} and {highest}: stop what listens there"
    )


def listening(port: int) -> str | None:
    """A readiness check: None once something accepts connections on the port."""
    with socket.socket() as s:
        s.settimeout(1)
        error = s.connect_ex((LOOPBACK, port))
    return None if error == 0 else f"nothing listens on {LOOPBACK}:{port}"


def _ephemeral_start() -> int:
    if EPHEMERAL.exists():
        return max(int(EPHEMERAL.read_text().split()[0]), LOWEST + 1_000)
    return 49_152  # IANA's dynamic range


def _bindable(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
