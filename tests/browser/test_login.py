"""A person logs in to GraphiQL at a real provider, asks, and logs out: in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.gateway import gateway
from idp.provider import SECRET, Idp
from rollgraph.server.settings import Auth, AuthMode, Http, Oidc, Policy, Settings
from testbed.ports import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.conformance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a gateway over samples, in which one has to log in."""
    folder = tmp_path_factory.mktemp("idp")
    port = free_port()
    idp = Idp(folder, (f"http://127.0.0.1:{port}",))
    idp.start()
    (folder / "secret").write_text(SECRET, "utf-8")
    settings = Settings(
        http=Http(url=f"http://127.0.0.1:{port}"),
        auth=Auth(mode=AuthMode.OIDC),
        oidc=Oidc(
            issuer=idp.issuer,
            client_id="rollgraph",
            client_secret_file=folder / "secret",
            scopes=("openid", "profile", "email", "groups"),
        ),
        policy=Policy(default_role="role:readonly"),
    )
    try:
        with gateway(settings, port) as url:
            yield url
    finally:
        idp.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser of its own."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page.set_default_timeout(30_000)
    yield page
    page.close()


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/graphql")
    page.get_by_role("link", name="Log in").click()
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.locator(".graphiql-query-editor .view-line").first.wait_for()


def test_a_person_logs_in_asks_and_logs_out(page: Page, site: str, tmp_path: Path) -> None:
    complaints: list[str] = []
    ours = re.compile(f"^{re.escape(site)}")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type in {"warning", "error"} and ours.match(said.location["url"])
            else None
        ),
    )
    log_in(page, site)
    expect(page.locator(".rollgraph-logo")).to_contain_text("Alice Example")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".result-window")).to_contain_text('"DEGRADED"')
    page.screenshot(path=tmp_path / "logged-in.png")
    page.get_by_role("button", name="Log out").click()
    # The provider asks whether to log out there, too.
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{site}/graphql")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    page.screenshot(path=tmp_path / "logged-out.png")
    assert complaints == []


def test_a_login_that_has_ended_is_said_to_have(page: Page, site: str) -> None:
    log_in(page, site)
    page.context.clear_cookies()
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".result-window")).to_contain_text("log in first")
    expect(page.locator(".rollgraph-logo").get_by_role("link", name="Log in")).to_be_visible()


def test_no_script_can_read_the_login(page: Page, site: str) -> None:
    log_in(page, site)
    assert "rollgraph" not in page.evaluate("document.cookie")
    assert "eyJ" not in page.evaluate(
        "JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
    )
