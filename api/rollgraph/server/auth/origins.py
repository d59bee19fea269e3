"""Where people reach us: the one origin whose pages may use a browser's login."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

HOME = "/graphql"


class Origins:
    """Tells our own origin.

    Args:
        url: The `http.url` setting; "" if there is none.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ours(self, connection: HTTPConnection) -> str:
        """Our origin, such as `https://rollgraph.example.com`.

        Without a setting it is what a browser on this machine sees; raises starlette's
        `HTTPException` for one elsewhere, since whoever sends `Host` could choose it.
        """
        if self._url:
            return self._url
        host = connection.headers.get("host", "")
        if not loopback(host):
            raise HTTPException(
                503, "a browser's login needs http.url (--url): the URL at which people come here"
            )
        return f"http://{host}"

    def back(self, connection: HTTPConnection) -> str:
        """Where a provider sends people back to."""
        return f"{self.ours(connection)}/auth/callback"


def loopback(netloc: str) -> bool:
    """Whether a host, maybe with a port, is this machine's alone."""
    try:
        name = urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def local_path(text: str) -> str:
    """Where to go after a login: a path of ours, or home for whatever could lead elsewhere.

    Browsers take `//host` and `/\\host` for another host, and drop tabs and line ends before they
    look.
    """
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else HOME
