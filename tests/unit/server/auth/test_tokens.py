"""Where a token stands in a request, and where it must not."""

from typing import Any, cast

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import Response

from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.session import PendingLogin
from rollgraph.core.viewer import Viewer
from rollgraph.server.auth.bearer import of_header, of_init
from rollgraph.server.auth.callers import Callers
from rollgraph.server.auth.cookies import Cookies
from rollgraph.server.auth.origins import HOME, local_path


class Verifier:
    """A `ports.TokenVerifier` that knows one."""

    async def verify(self, token: str) -> Viewer:
        if token != "good":
            raise UnauthenticatedViewerError("not good")
        return Viewer("alice")


CALLERS = Callers(Verifier(), Everything)


def connection(*authorization: str, query: str = "") -> HTTPConnection:
    headers = [(b"authorization", value.encode()) for value in authorization]
    scope = {"type": "http", "method": "POST", "headers": headers, "query_string": query.encode()}
    return HTTPConnection(scope)


async def test_a_bearer_is_known() -> None:
    for value in ("Bearer good", "bearer good", "BEARER  good "):
        caller = await CALLERS.caller(connection(value))
        assert caller.viewer == Viewer("alice")
        assert caller.token == "good"
        assert "good" not in repr(caller)


@pytest.mark.parametrize(
    "values",
    [
        ("Basic good",),
        ("Bearer",),
        ("Bearer ",),
        ("good",),
        ("Bearer good, Bearer good",),
        ("Bearer good good",),
        ("Bearer good", "Bearer good"),
        ("",),
    ],
    ids=str,
)
async def test_what_is_no_bearer_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(UnauthenticatedViewerError) as caught:
        await CALLERS.caller(connection(*values))
    assert "good" not in str(caught.value)


@pytest.mark.parametrize("query", ["access_token=good", "token=good", "authorization=Bearer+good"])
async def test_a_token_in_the_url_is_not_seen(query: str) -> None:
    with pytest.raises(UnauthenticatedViewerError, match="log in first"):
        await CALLERS.caller(connection(query=query))


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_a_web_socket_sends_it_with_its_first_message(name: str) -> None:
    caller = await CALLERS.of_init({name: "Bearer good", "other": 1})
    assert isinstance(caller, Caller)
    assert caller.viewer == Viewer("alice")


async def test_a_web_socket_may_send_none() -> None:
    assert await CALLERS.of_init(None) is None
    assert await CALLERS.of_init({}) is None


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "Bearer good",
        1,
        {"Authorization": 1},
        {"Authorization": ["Bearer good"]},
        {"Authorization": None},
        {"Authorization": "Bearer bad"},
        {"Authorization": "good"},
        {"Authorization": "Bearer good", "authorization": "Bearer good"},
    ],
    ids=str,
)
async def test_a_web_socket_that_sends_something_else_is_refused(payload: Any) -> None:
    with pytest.raises(UnauthenticatedViewerError):
        await CALLERS.of_init(payload)


def test_the_same_form_is_read_in_both_places() -> None:
    assert of_header(["Bearer a.b.c"]) == of_init({"authorization": "Bearer a.b.c"}) == "a.b.c"
    assert of_header([]) is None


def test_over_https_a_cookie_is_for_this_host_alone_and_elsewhere_has_another_name() -> None:
    secure, loopback = Cookies("https://rollgraph.example.com"), Cookies("http://127.0.0.1:8000")
    for cookies, flag in ((secure, True), (loopback, False)):
        response = Response()
        cookies.put(response, "name")
        cookies.begin(response, PendingLogin("", "s", "n", "v"), HOME)
        for text in response.headers.getlist("set-cookie"):
            assert text.startswith("__Host-") == flag
            assert ("Secure" in text) == flag
            assert "HttpOnly" in text
            assert "Path=/" in text
            assert "SameSite=lax" in text
            assert "domain" not in text.lower()
    assert secure.session != loopback.session


@pytest.mark.parametrize("text", ["", "!", "e30", "W10", "bnVsbA==", "é"])
def test_a_cookie_that_cannot_be_read_is_no_login(text: str) -> None:
    cookies = Cookies("https://rollgraph.example.com")
    found = cookies.pending(cast(Any, _Jar({cookies.login: text})))
    assert found is None


class _Jar:
    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "//a",
        "/\\a",
        "\\/a",
        "https://a",
        "/\t/a",
        "/\n/a",
        " /a",
        "/é",
        "///a",
        "javascript:",
    ],
)
def test_a_login_leads_nowhere_else(text: str) -> None:
    assert local_path(text) == HOME


@pytest.mark.parametrize(
    "text", ["/graphql", "/graphql?query=%7B%7D", "/", "/a//b", "/a?b=https://c"]
)
def test_a_login_leads_to_paths_of_ours(text: str) -> None:
    assert local_path(text) == text
