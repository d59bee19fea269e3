"""What can go wrong between us and an API server, in our words. The only place that knows both."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from rollgraph.core.errors import ServerError, SpokeError, UnreachableError
from rollgraph.core.objects import decode
from rollgraph.core.refusals import refusal

# Bytes of a refusal that are read: a Status is far smaller, a load balancer's page need not be.
LONGEST_REFUSAL = 64 * 1024


@contextmanager
def translated() -> Iterator[None]:
    """Raises an `UnreachableError` for whatever the network does."""
    try:
        yield
    except aiohttp.ServerDisconnectedError as error:
        raise UnreachableError("the server closed the connection without an answer") from error
    except aiohttp.ClientPayloadError as error:
        raise UnreachableError("the connection broke in the middle of an answer") from error
    except aiohttp.ConnectionTimeoutError as error:
        raise UnreachableError("no connection in time") from error
    except aiohttp.ServerTimeoutError as error:
        raise UnreachableError("the server was silent for too long") from error
    except aiohttp.ClientConnectorError as error:
        raise UnreachableError(
            f"no connection to {error.host}:{error.port}: {_os(error)}"
        ) from error
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise UnreachableError(_words(error)) from error
    except RuntimeError as error:
        if str(error) != "Session is closed":
            raise
        # A reflector was still asking when the credentials were renewed a second time.
        raise UnreachableError("the connection was closed on our side") from error


async def refused(response: aiohttp.ClientResponse) -> SpokeError:
    """The error that an answer other than 200 stands for."""
    if 300 <= response.status < 400:
        # An API server does not redirect. A login page in front of it does, and must not get to
        # see our credentials.
        return ServerError(f"HTTP {response.status}: a redirect, so this is no API server")
    body = await response.content.read(LONGEST_REFUSAL)
    return refusal(response.status, decode.status(body), retry_after=_retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds; an API server never sends the other form, a date."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _os(error: aiohttp.ClientConnectorError) -> str:
    """The system's reason: aiohttp's own text has the address of an object in it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _words(error.certificate_error)
    errno = error.os_error.errno or 0
    # Negative are those of name resolution, which have their text with them; asyncio has put the
    # address in place of the text of the others.
    return os.strerror(errno) if errno > 0 else error.os_error.strerror or _words(error.os_error)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
