"""Logins with a browser at a real provider: in, used, and out again."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from integration.login.conftest import COOKIE, PENDING, Browser, Serve, Site


def test_a_person_logs_in_asks_and_logs_out(site: Site) -> None:
    browser = site.browser()
    assert browser.session() == {"login": True, "viewer": None}
    assert browser.ask().status_code == 401
    answer = browser.log_in("/auth/login?next=/graphql%3Fa%3D1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/graphql?a=1")
    assert browser.session()["viewer"] == {
        "subject": "alice@example.com",
        "name": "Alice Example",
        "email": "alice@example.com",
    }
    told = browser.ask("{ viewer { subject groups login scopes issuer } }").json()
    assert told["data"]["viewer"] == {
        "subject": "alice@example.com",
        "groups": ["deployers", "everybody"],
        "login": "SESSION",
        "scopes": None,
        "issuer": site.idp.issuer,
    }


def test_a_person_logs_out_here_and_at_the_provider(site: Site) -> None:
    browser = site.browser()
    browser.log_in()
    ours = {"origin": site.url, "x-rollgraph-csrf": browser.csrf}
    for headers in ({}, {**ours, "x-rollgraph-csrf": "no"}, {**ours, "origin": "http://evil"}):
        assert browser.client.post("/auth/logout", headers=headers).status_code == 403
    assert browser.ask().status_code == 200
    left = browser.client.post("/auth/logout", headers=ours)
    assert COOKIE not in browser.client.cookies
    assert browser.ask().status_code == 401
    # The provider asks, and leads back here. No token is in its URL.
    way = left.json()["next"]
    assert way.startswith(f"{site.idp.issuer}/session/end?")
    assert "eyJ" not in way
    assert browser.person.follow(way, f"{site.url}/graphql") == f"{site.url}/graphql"
    # Whoever comes next has to log in anew.
    begun = browser.client.get("/auth/login")
    page = browser.client.get(begun.headers["location"])
    assert "/interaction/" in page.headers["location"]


def test_the_cookie_is_for_nobody_else(site: Site) -> None:
    browser = site.browser()
    begun = browser.client.get("/auth/login")
    (cookie,) = begun.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    answer = browser.log_in()
    session = next(text for text in answer.headers.get_list("set-cookie") if COOKIE in text)
    for word in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert word in session
    assert "Domain" not in session


def test_each_login_has_a_new_name_and_ends_the_one_before(site: Site) -> None:
    browser = site.browser()
    browser.keep(COOKIE, "planted")
    browser.log_in()
    first = browser.cookie(COOKIE)
    assert first != "planted"
    browser.log_in()
    other = site.browser()
    other.keep(COOKIE, first)
    assert other.session()["viewer"] is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"x-rollgraph-csrf": ""}, 403),
        ({"x-rollgraph-csrf": "wrong"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://evil.example.com"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
    ids=str,
)
def test_other_sites_cannot_use_the_login(
    alice: Browser, headers: dict[str, str], status: int
) -> None:
    assert alice.ask(**headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"graphql-require-preflight": "1"}, 200),
        ({"graphql-require-preflight": "1", "origin": "https://evil.example.com"}, 403),
        ({"graphql-require-preflight": "1", "sec-fetch-site": "cross-site"}, 403),
    ],
    ids=str,
)
def test_nor_by_a_link(alice: Browser, headers: dict[str, str], status: int) -> None:
    params = {"query": "{ viewer { subject } }"}
    assert alice.client.get("/graphql", params=params, headers=headers).status_code == status


def test_a_token_in_the_url_is_no_token(alice: Browser) -> None:
    stranger = alice.site.browser()
    params = {"query": "{ viewer { subject } }", "access_token": "x", "token": "x"}
    assert stranger.client.get("/graphql", params=params).status_code == 401


def test_what_comes_back_must_be_what_was_begun(site: Site) -> None:
    browser = site.browser()
    back = browser.authorize()
    query = dict(parse_qsl(urlsplit(back).query))
    assert {"code", "state", "iss"} <= set(query)
    for changes in (
        {"state": "other"},
        {"state": ""},
        {"iss": "https://evil.example.com"},
        {"iss": ""},
        {"code": ""},
        {"code": "made-up"},
        {"error": "access_denied"},
    ):
        sent = {name: value for name, value in (query | changes).items() if value}
        pending = browser.cookie(PENDING)
        answer = browser.client.get(f"/auth/callback?{urlencode(sent)}")
        assert answer.status_code == 401, changes
        assert "Log in again" in answer.text
        assert "made-up" not in answer.text
        # Each try ends the login that was under way.
        assert browser.cookie(PENDING) == ""
        browser.keep(PENDING, pending)
    assert browser.session()["viewer"] is None


def test_a_login_that_was_begun_elsewhere_is_not_taken(site: Site) -> None:
    # Else somebody could log others in as themselves, and read what they then do.
    back = site.browser().authorize()
    victim = site.browser()
    assert victim.client.get(back).status_code == 401
    assert victim.session()["viewer"] is None


def test_a_code_is_of_use_once(site: Site) -> None:
    browser = site.browser()
    back = browser.authorize()
    pending = browser.cookie(PENDING)
    assert browser.client.get(back).status_code == 303
    again = site.browser()
    again.keep(PENDING, pending)
    assert again.client.get(back).status_code == 401


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "/\t/evil.example.com",
        "javascript:alert(1)",
        "evil",
        "",
        "/%0d%0aSet-Cookie:a=b",
    ],
)
def test_a_login_leads_to_a_page_of_ours(site: Site, next_: str) -> None:
    answer = site.browser().log_in(f"/auth/login?{urlencode({'next': next_})}")
    location = answer.headers["location"]
    assert location in {"/graphql", "/%0d%0aSet-Cookie:a=b"}
    assert "evil" not in location


def test_who_has_no_verified_address_is_not_let_in_by_it(site: Site) -> None:
    browser = site.browser("bob")
    answer = browser.log_in()
    assert answer.status_code == 401
    assert "not verified the email" in answer.text
    assert browser.session()["viewer"] is None


def test_a_provider_that_is_down_is_said_to_be(serve: Serve) -> None:
    site = serve()
    browser = site.browser()
    back = browser.authorize()
    site.idp.stop()
    answer = browser.client.get(back)
    assert answer.status_code == 503
    assert site.idp.issuer in answer.text
