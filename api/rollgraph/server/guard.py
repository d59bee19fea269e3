"""Keeps other sites out while nobody has to log in.

A loopback address keeps other machines out, but not the pages that a browser on this one shows. Two
ways lead from a page to us, and each is closed here:

* The page sends requests to 127.0.0.1. It is not shown the answers, but they are executed. Browsers
  add `Origin` and `Sec-Fetch-Site` to them, which no script can change.
* The page's own name is made to resolve to 127.0.0.1 (DNS rebinding). To the browser that is the
  page's own site: it shows the answers. But the name still stands in `Host`.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from rollgraph.server.failures import failure


class LoopbackGuard:
    """Starlette's middleware that answers only programs, and pages of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        # A WebSocket has no method, and no person opens one by following a link.
        method = scope.get("method", "")
        asks = scope["type"] in {"http", "websocket"}
        if asks and (reason := objection(method, Headers(scope=scope))):
            answer = failure(HTTPConnection(scope), 403, reason)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def objection(method: str, headers: Headers) -> str:
    """Why a request is refused; "" if it is not."""
    host = headers.get("host", "")
    # The port is not compared: a forwarded one differs, and a rebound name shows anyway.
    if not _loopback(host):
        return "Host is no loopback name; without a login only this machine is served"
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return "pages of other origins may not ask while there is no login"
    site = headers.get("sec-fetch-site", "none")
    if site not in {"none", "same-origin"} and not _followed_link(method, headers):
        return "pages of other sites may not ask while there is no login"
    return ""


def _loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _followed_link(method: str, headers: Headers) -> bool:
    """True for a person who follows a link: the answer is shown to that person alone."""
    return method == "GET" and headers.get("sec-fetch-dest") == "document"
