"""What seals the logins of browsers where several gateways keep them together."""

from rollgraph.adapters.sealing import MAKE, JweSealing, keys_of
from rollgraph.core.errors import ConfigError
from rollgraph.ports import Sealing
from rollgraph.server.auth import agreements
from rollgraph.server.settings import AuthMode, Settings

NAME = "auth.session_secret_file (--session-secret-file)"


def sealing(settings: Settings) -> Sealing | None:
    """What the settings ask for; None where nobody logs in with a browser, or nothing is shared.

    Raises `ConfigError`: no login is kept on Redis as it is.
    """
    if not settings.redis.url or not _browsers(settings):
        return None
    file = settings.auth.session_secret_file
    if file is None:
        raise ConfigError(
            f"{NAME}: expected a file with a key, since people log in with a browser and their"
            f" tokens are kept on Redis: `{MAKE}` makes one, the same for all gateways"
        )
    try:
        return JweSealing(keys_of(file.read_text("ascii")))
    except ConfigError as error:
        raise ConfigError(f"{NAME}: {file}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigError(f"{NAME}: {file} cannot be read: {reason}") from error


def _browsers(settings: Settings) -> bool:
    if settings.auth.mode is AuthMode.NONE:
        return False
    return any(provider.client_id for _, provider in agreements.providers(settings))
