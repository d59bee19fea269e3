"""Handshakes of WebSockets and other requests that cannot bring a header of ours."""

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from rollgraph.server.auth.forgery import check
from rollgraph.server.auth.origins import Origins

ORIGIN = "https://rollgraph.example.com"


def request(kind: str, method: str = "", **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "headers": raw} | ({"method": method} if method else {})
    return HTTPConnection(scope)


def refused(connection: HTTPConnection) -> bool:
    try:
        check(connection, ORIGIN, "csrf")
    except HTTPException as error:
        return error.status_code == 403
    return False


def test_a_web_socket_is_taken_from_a_page_of_ours_alone() -> None:
    assert not refused(request("websocket", origin=ORIGIN))
    assert refused(request("websocket"))
    assert refused(request("websocket", origin="https://evil.example.com"))
    assert refused(request("websocket", origin=f"{ORIGIN}.evil.example.com"))
    assert refused(request("websocket", origin=ORIGIN, sec_fetch_site="cross-site"))


def test_a_head_is_no_get_here() -> None:
    assert refused(request("http", "HEAD", origin=ORIGIN))
    assert not refused(request("http", "GET", graphql_require_preflight="1"))


def test_without_a_setting_only_loopback_knows_where_it_is() -> None:
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        assert Origins("").ours(request("http", "GET", host=host)) == f"http://{host}"
    for host in ("evil.example.com", "127.0.0.1.evil.example.com", "10.0.0.1", "", "[", "a@b"):
        with pytest.raises(HTTPException, match=r"http\.url"):
            Origins("").ours(request("http", "GET", host=host))
    anywhere = request("http", "GET", host="evil.example.com")
    assert Origins(f"{ORIGIN}/").ours(anywhere) == ORIGIN
