"""Documents of identity providers: JSON, small, over TLS, from where it was asked of."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import httpx2
import msgspec

from rollgraph.core.errors import ConfigError, IdentityProviderError

# Bytes. The largest known key sets have 50 KiB.
LARGEST = 256 * 1024
# Seconds for all of a document: a caller waits for it.
TIMEOUT = 5.0
# A provider may have moved a path, which takes one.
MOST_REDIRECTS = 3


class Document(msgspec.Struct, frozen=True):
    """A JSON object, and how long its server lets it be kept.

    Attributes:
        max_age: Seconds; None if the server did not say.
    """

    content: dict[str, Any]
    max_age: float | None = None


def check_url(url: str, what: str) -> None:
    """Raises `ConfigError` for a URL that is neither HTTPS nor of loopback."""
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"{what} is no URL") from error
    if parts.userinfo or not parts.host:
        raise ConfigError(f"{what} must have a host, and no user or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.host)):
        raise ConfigError(f"{what} must begin with https://; http:// is for loopback only")


def loopback(host: str) -> bool:
    """Whether only this machine is reached by that name."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def trust(ca_file: Path | None, ca: str = "") -> ssl.SSLContext:
    """Whom to believe: the system's authorities, those of a file, and those of a text.

    Raises `ConfigError`.
    """
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError("expected certificates in PEM") from error
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"{ca_file} cannot be read as certificates in PEM: {error.strerror or error}"
            ) from error
    return context


def options(url: str, verify: ssl.SSLContext) -> dict[str, Any]:
    """How an HTTP client speaks with a provider; proxies of the environment are used."""
    # A proxy does not reach our loopback.
    trust_env = not loopback(httpx2.URL(url).host)
    return {"verify": verify, "timeout": TIMEOUT, "trust_env": trust_env}


@contextmanager
def translated(issuer: str) -> Iterator[None]:
    """Raises an `IdentityProviderError` for whatever the network does."""
    try:
        yield
    except TimeoutError as error:
        raise IdentityProviderError(f"{issuer} did not answer within {TIMEOUT:g} s") from error
    except httpx2.TimeoutException as error:
        raise IdentityProviderError(f"{issuer} did not answer in time") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        # Not its text: it may have the URL, with a code or a token in it.
        raise IdentityProviderError(f"{issuer} cannot be asked: {type(error).__name__}") from error


async def get(options: Mapping[str, Any], url: str, issuer: str) -> Document:
    """Fetches a document. Raises `IdentityProviderError`."""
    with translated(issuer), anyio.fail_after(TIMEOUT):
        async with httpx2.AsyncClient(**options) as client:
            for _ in range(MOST_REDIRECTS + 1):
                async with client.stream("GET", url, headers=_ACCEPT) as response:
                    if not response.has_redirect_location:
                        return await _document(response, issuer)
                    url = _redirected(response, issuer)
    raise IdentityProviderError(f"{issuer} redirects in circles")


_ACCEPT = {"Accept": "application/json", "User-Agent": "rollgraph"}


def _redirected(response: httpx2.Response, issuer: str) -> str:
    there = response.url.join(response.headers["location"])
    if _origin(there) != _origin(response.url):
        raise IdentityProviderError(f"{issuer} redirects to another host, which is not followed")
    return str(there)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _document(response: httpx2.Response, issuer: str) -> Document:
    if response.status_code != 200:
        raise IdentityProviderError(f"{issuer} answered HTTP {response.status_code}")
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise IdentityProviderError(f"{issuer} sent more than {LARGEST // 1024} KiB")
    try:
        content = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise IdentityProviderError(f"{issuer} sent no JSON object") from error
    return Document(content, _max_age(response.headers.get("cache-control", "")))


def _max_age(cache_control: str) -> float | None:
    """Seconds; 0 for what is not to be kept."""
    age: float | None = None
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in {"no-store", "no-cache"}:
            return 0.0
        if name == "max-age" and value.isascii() and value.isdigit():
            age = float(value[:9])
    return age
