"""Sockets to listen on, and who can reach them."""

import errno
import socket
from ipaddress import ip_address

from rollgraph.core.errors import ConfigError
from rollgraph.server.settings import AuthMode, Settings, every

# Connections that the system keeps for us until they are accepted; as uvicorn has it.
_BACKLOG = 2048
# Milliseconds. What is sent to a machine that is gone is sent again and again, and the connection
# is kept for 15 minutes; one that streams sends something every few seconds.
_UNANSWERED = 60_000


class PortTakenError(Exception):
    """The port is in use, or may not be used; the message says what to do."""


def addresses(settings: Settings, *, asked: bool = True) -> list[str]:
    """The IP addresses that the host setting stands for.

    Resolved once: what is checked here is what is bound later. Raises `ConfigError` if there are
    none, or if strangers could reach one although nobody has to log in.

    Args:
        asked: Whether there is anything to be asked there but whether the process fares well.
    """
    host = settings.http.host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"http.host (--host): {host!r} is no address of this machine: {error}; "
            "expected an IP address or a name that has one, such as 127.0.0.1"
        ) from error
    resolved = list(dict.fromkeys(str(info[4][0]) for info in found))
    if asked and settings.auth.mode is AuthMode.NONE:
        _refuse_public(host, resolved)
    return resolved


def _refuse_public(host: str, resolved: list[str]) -> None:
    public = [address for address in resolved if not ip_address(address).is_loopback]
    if public:
        where = host if public == [host] else f"{host} ({', '.join(public)})"
        raise ConfigError(
            f"http.host (--host): {where} can be reached from other machines, and with --auth none "
            "whoever reaches Rollgraph may ask anything; expected an address of loopback, such as "
            "127.0.0.1, ::1 or localhost"
        )


def listen(hosts: list[str], port: int, setting: str = "http.port") -> list[socket.socket]:
    """Binds and listens on each address, with one port for all; 0 takes a free one.

    Args:
        setting: What the port is chosen by.

    Raises `PortTakenError`.
    """
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            sockets.append(_bound(host, port))
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for bound in sockets:
            bound.close()
        raise PortTakenError(_advice(error, host, port, setting)) from error
    return sockets


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux, where connections have it from here
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED)
    return bound


def _advice(error: OSError, host: str, port: int, setting: str) -> str:
    found = next(each for each in every() if each.path == setting)
    way_out = f"choose another with {found.flag} or {found.env}; 0 takes any free one"
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use by another process: stop it, or {way_out}"
        case errno.EACCES:
            return f"port {port} of {host} may not be used by this user: {way_out}"
        case _:
            return f"cannot listen on {host} port {port}: {error.strerror}"


def url(bound: socket.socket) -> str:
    """Where a socket is reached."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
