"""TLS to an API server, without leaving a key on a disk."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from rollgraph.core.errors import ConfigError


def tls_context(
    *, ca: bytes = b"", cert: bytes = b"", key: bytes = b"", verify: bool = True
) -> ssl.SSLContext:
    """What to trust and, with a client certificate, whom to be.

    Args:
        ca: Certificates to trust, PEM; without any, those of the system.
        cert: Our certificate and its chain, PEM.
        key: Its key, PEM, not encrypted.
        verify: False to accept any server, as insecure-skip-tls-verify asks.
    """
    if verify and not ca and not cert:
        return _system()
    context = _trusting(ca)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        _load(context, cert, key)
    return context


@cache
def _system() -> ssl.SSLContext:
    """One for all spokes with public certificates: each takes 20 ms and some megabytes."""
    return _relaxed(ssl.create_default_context())


def _trusting(ca: bytes) -> ssl.SSLContext:
    try:
        return _relaxed(ssl.create_default_context(cadata=ca.decode("ascii") if ca else None))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"the certificate authority is not valid PEM: {_reason(error)}") from None


def _relaxed(context: ssl.SSLContext) -> ssl.SSLContext:
    """As strict as Go is.

    Python 3.13 turns on X509_STRICT, which refuses the CAs of many clusters for lack of a key
    identifier that nobody needs.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _load(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """Loads our certificate: the ssl module takes it from a file only."""
    try:
        with _nameless_file(cert + b"\n" + key) as path:
            context.load_cert_chain(path, password=_no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f"the client certificate and key are not a valid PEM pair: {_reason(error)}"
        ) from None


@contextmanager
def _nameless_file(content: bytes) -> Iterator[str]:
    """The path of a file that is nowhere but in memory, or else is gone at once."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("rollgraph", os.MFD_CLOEXEC)
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{fd}"
        return
    with tempfile.NamedTemporaryFile() as file:  # pragma: no cover - not on Linux; mode 0600
        file.write(content)
        file.flush()
        yield file.name


def _no_password() -> str:
    """Instead of a prompt on the terminal of a server process."""
    raise ConfigError("the client key is encrypted: expected one without a passphrase")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or type(error).__name__
