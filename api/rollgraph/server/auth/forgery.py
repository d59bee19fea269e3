"""Requests that a browser sends with its cookie, though the person did not mean to."""

from hmac import compare_digest

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

# A page of ours sends what `/auth/session` told it. Another site cannot read that, nor may it send
# such a header at all: we answer no preflight.
HEADER = "X-Rollgraph-CSRF"
# For what only reads, any header does that a page of another site would have to ask for.
PREFLIGHT = "GraphQL-Require-Preflight"


def check(connection: HTTPConnection, origin: str, csrf: str) -> None:
    """Raises starlette's `HTTPException`, 403, for a request that another site may have made.

    Args:
        origin: Ours.
        csrf: What only a page of ours knows.
    """
    check_origin(connection, origin)
    headers = connection.headers
    if compare_digest(headers.get(HEADER, "").encode(), csrf.encode()):
        return
    if connection.scope["type"] == "websocket":
        return  # no header can be set there; the origin has been told, and is ours
    if connection.scope["method"] != "GET":
        raise HTTPException(403, f"{HEADER} is missing or wrong: reload the page, or send a token")
    if not headers.get(PREFLIGHT):
        raise HTTPException(403, f"a GET with a cookie needs a header {PREFLIGHT}, or {HEADER}")


def check_origin(connection: HTTPConnection, origin: str) -> None:
    """Raises starlette's `HTTPException`, 403, for a page of another origin."""
    headers = connection.headers
    said = headers.get("origin")
    reads = connection.scope.get("method") == "GET"  # of WebSockets there is no method
    if said != origin and not (said is None and reads):
        # Browsers add it to each POST and each WebSocket.
        raise HTTPException(403, "Origin is not Rollgraph's: only its own pages may use a login")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise HTTPException(403, "pages of other sites may not use a login")
