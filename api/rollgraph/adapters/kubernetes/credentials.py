"""Who we are to an API server: the headers that say so, always fresh."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from rollgraph.core.errors import ConfigError, UnauthenticatedError

Headers: TypeAlias = Sequence[tuple[str, str]]


class Credentials(Protocol):
    """Answers before each request."""

    async def headers(self) -> Headers:
        """The headers to send; raises `UnauthenticatedError` if they cannot be had."""


class FixedCredentials:
    """Headers that do not change: a token, a user and password, or none."""

    def __init__(self, headers: Headers = ()) -> None:
        self._headers = headers

    async def headers(self) -> Headers:
        """The headers."""
        return self._headers


class TokenFile:
    """A token in a file that someone else renews, as a kubelet does each hour.

    Args:
        path: The file; a missing one raises `UnauthenticatedError` when the token is needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._headers: Headers = ()

    async def headers(self) -> Headers:
        """The present token's header; the file is read again only if it is another one."""
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._headers = bearer(self._path.read_text("utf-8"))
                self._seen = seen
        except (OSError, UnicodeDecodeError, ConfigError) as error:
            raise UnauthenticatedError(f"tokenFile {self._path}: {_words(error)}") from None
        return self._headers


def bearer(token: str) -> Headers:
    """The header of a bearer token, the white space around which is not part of it."""
    token = token.strip()
    # Told apart here, where it can be said which token, without saying it.
    if not token or not (token.isascii() and token.isprintable()) or " " in token:
        raise ConfigError("expected a token of printable ASCII characters in one line")
    return (("Authorization", f"Bearer {token}"),)


def basic(username: str, password: str) -> Headers:
    """The header of a user name and password."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    return (("Authorization", f"Basic {pair}"),)


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
