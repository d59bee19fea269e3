"""The command line's logins: a file that only its user can read."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rollgraph.core.errors import ConfigError


class Login(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A login at a server.

    Attributes:
        token: What is sent. Secret, as is the next.
        refresh_token: Renews it; "" if it cannot be.
        until: When the token ends, in seconds since 1970.
        sent: Which of the provider's tokens it is: `id_token` or `access_token`.
    """

    issuer: str
    client_id: str
    sent: str
    resource: str = ""
    token: str
    refresh_token: str = ""
    until: float

    def __repr__(self) -> str:
        return f"Login({self.issuer!r}, ...)"


def home(environ: Mapping[str, str]) -> Path:
    """Where they are: the user's folder for what programs remember, as XDG has it."""
    base = environ.get("XDG_STATE_HOME", "")
    # What is not absolute is to be ignored, says the standard.
    state = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return state / "rollgraph"


class Logins:
    """The file.

    Args:
        folder: Where it is; it need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "logins.json"

    def all(self) -> dict[str, Login]:
        """The logins by their servers' URLs. Raises `ConfigError` if the file cannot be read."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Login])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigError(
                f"{self._file} cannot be read as logins: remove it, then `rollgraph login`"
            ) from error

    def put(self, server: str, login: Login) -> None:
        """Adds or replaces a login."""
        self._write(self.all() | {server: login})

    def drop(self, server: str) -> bool:
        """Forgets a login; False if there was none."""
        left = self.all()
        if left.pop(server, None) is None:
            return False
        self._write(left)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes of the user out: of two that renew a login, the second would end
        it, for most providers take a refresh token once.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, logins: dict[str, Login]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp's file is 0600 from its first byte on; a rename is one step.
        handle, path = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(logins))
            Path(path).rename(self._file)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise
