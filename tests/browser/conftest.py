"""Headless Chromium on a page of the gateway, with a record of all that it does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

from browser.chromium import launch
from browser.gateway import gateway
from rollgraph.server.settings import Settings

# Reports what the policy stopped, in the page's own console.
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => console.error(
  "CSP", event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber))"""


@dataclass
class Visit:
    """A page, and what it did.

    Attributes:
        page: The page.
        origin: Where it came from.
        requests: URLs of all its requests, those of its workers too.
        complaints: Warnings and errors of its console, and uncaught errors.
    """

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(VIOLATIONS)
        self.page.context.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.context.route("**/*", self._routed)

    def open(self) -> None:
        """Goes to the page, and waits until it can be used."""
        self.page.goto(f"{self.origin}/graphql")
        self.page.locator(".graphiql-query-editor .view-line").first.wait_for()

    def foreign(self) -> list[str]:
        """The requests that leave the origin."""
        return [url for url in self.requests if not self._is_ours(url)]

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)

    def _routed(self, route: Route) -> None:
        # What would leave the machine is recorded, not sent.
        if self._is_ours(route.request.url):
            route.continue_()
        else:
            route.abort()

    def _is_ours(self, url: str) -> bool:
        ours = urlsplit(self.origin)
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"warning", "error"}:
            self.complaints.append(f"{message.type}: {message.text}")


# playwright keeps an event loop running in this thread until it ends, beside which no other test
# could run its own: so the browser does not outlive the module.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a module's tests; a visit is a context of its own."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A running gateway's URL."""
    with gateway(Settings()) as url:
        yield url


@pytest.fixture
def visit(chromium: Browser, origin: str) -> Iterator[Visit]:
    """A first visit: nothing is stored from before."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    # Milliseconds. A first load takes 3 s on two busy cores.
    page.set_default_timeout(30_000)
    yield Visit(page, origin)
    page.close()
