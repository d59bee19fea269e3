"""A real provider, and a real process that trusts it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from idp.person import Person
from idp.provider import SECRET, Idp, running
from testbed.deadline import wait_until
from testbed.ports import free_port, listening

MAIN = "import sys; from rollgraph.server.cli import main; sys.exit(main())"
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: dead, context: {cluster: c, user: u}}]
"""
COOKIE = "rollgraph-loopback-session"
PENDING = "rollgraph-loopback-login"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder: they need npm's packages, and real time."""
    for item in items:
        if "login" in item.path.parts:
            item.add_marker(pytest.mark.conformance)
            item.add_marker(pytest.mark.looptime(False))
            item.add_marker(pytest.mark.timeout(300))


@dataclass
class Site:
    """A running Rollgraph and its provider.

    Attributes:
        log: Where it writes, at the level DEBUG.
    """

    url: str
    idp: Idp
    log: Path
    sessions: list["Browser"] = field(default_factory=list)

    def close(self) -> None:
        """Closes the browsers."""
        for browser in self.sessions:
            browser.client.close()

    def browser(self, name: str = "alice") -> "Browser":
        """A browser with a person before it."""
        browser = Browser(self, name)
        self.sessions.append(browser)
        return browser


class Browser:
    """Cookies, and the header that a page of ours sends."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.client = httpx2.Client(base_url=site.url, trust_env=False)
        self.person = Person(self.client, name)
        self.csrf = ""

    def authorize(self, path: str = "/auth/login") -> str:
        """Logs in at the provider; gives where it leads back to, which is not followed."""
        begun = self.client.get(path)
        assert begun.status_code == 303
        return self.person.follow(begun.headers["location"], f"{self.site.url}/auth/callback")

    def log_in(self, path: str = "/auth/login") -> httpx2.Response:
        """Logs in; gives the answer that ends it."""
        answer = self.client.get(self.authorize(path))
        self.csrf = self.session().get("csrf", "")
        return answer

    def cookie(self, name: str) -> str:
        """One of our cookies; the provider's are in the same jar, for they have no port."""
        return self.client.cookies.get(name, "", domain="127.0.0.1", path="/") or ""

    def keep(self, name: str, value: str) -> None:
        """Puts a cookie back."""
        self.client.cookies.set(name, value, domain="127.0.0.1", path="/")

    def session(self) -> dict[str, Any]:
        """Who is logged in."""
        told: dict[str, Any] = self.client.get("/auth/session").json()
        return told

    def ask(self, query: str = "{ viewer { subject } }", **headers: str) -> httpx2.Response:
        """Asks as a page of ours does."""
        own = {"origin": self.site.url, "x-rollgraph-csrf": self.csrf, **headers}
        sent = {name: value for name, value in own.items() if value}
        return self.client.post("/graphql", json={"query": query}, headers=sent)


Serve = Callable[..., Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a provider and a process, and ends both."""
    with starting(tmp_path) as start:
        yield start


@contextmanager
def starting(tmp_path: Path) -> Iterator[Serve]:
    """What `serve` gives."""
    with ExitStack() as stack:

        def started(*flags: str, beside: Site | None = None, **lifetimes: int) -> Site:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            if beside is None:
                idp = Idp(tmp_path, (url,), lifetimes=lifetimes)
                idp.start()
                stack.callback(idp.stop)
            else:
                idp = beside.idp
            (tmp_path / "secret").write_text(SECRET, "utf-8")
            (tmp_path / "kubeconfig").write_text(KUBECONFIG, "utf-8")
            own = {
                "--kubeconfig": tmp_path / "kubeconfig",
                "--port": port,
                "--log-level": "debug",
                "--auth": "oidc",
                "--oidc-issuer": idp.issuer,
                "--oidc-username-claim": "email",
                "--policy-default-role": "role:admin",
                "--oidc-client-id": "rollgraph",
                "--oidc-client-secret-file": tmp_path / "secret",
                "--oidc-cli-client-id": "rollgraph-cli",
            }
            words = [str(word) for pair in own.items() for word in pair]
            for scope in ("openid", "profile", "email", "groups", "offline_access"):
                words += ["--oidc-scope", scope]
            log = stack.enter_context((tmp_path / f"log-{port}").open("w"))
            process = subprocess.Popen(
                [sys.executable, "-c", MAIN, "serve", *words, *flags], stderr=log
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            wait_until(lambda: listening(port), seconds=60, what="Rollgraph listens")
            site = Site(url, idp, tmp_path / f"log-{port}")
            stack.callback(site.close)
            return site

        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests of a module that leave it as it is."""
    with starting(tmp_path_factory.mktemp("site")) as start:
        yield start()


@pytest.fixture
def idp(tmp_path: Path) -> Iterator[Idp]:
    """A provider alone, whose client is nowhere."""
    with running(tmp_path, "http://127.0.0.1:1") as provider:
        yield provider


@pytest.fixture(scope="module")
def alice(site: Site) -> Browser:
    """A browser in which she is logged in, for tests that leave it as it is."""
    browser = site.browser()
    browser.log_in()
    return browser
