"""Logins of the command line: a code in a browser, a file, and questions."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from idp.person import Person
from idp.provider import AUDIENCE
from integration.login.conftest import MAIN, Serve, Site


class User:
    """Somebody at a command line, with a home of their own."""

    def __init__(self, home: Path, site: Site) -> None:
        self.site = site
        self.state = home / "state"
        self.environ = {**os.environ, "XDG_STATE_HOME": str(self.state), "HOME": str(home)}

    @property
    def file(self) -> Path:
        return self.state / "rollgraph" / "logins.json"

    def run(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", MAIN, *words],
            env=self.environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def log_in(self, name: str = "alice") -> tuple[int, str]:
        """Runs `rollgraph login`, and confirms its code with a browser."""
        with subprocess.Popen(
            [sys.executable, "-c", MAIN, "login", "--server", self.site.url],
            env=self.environ,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            watchdog = threading.Timer(120, process.kill)
            watchdog.start()
            said = process.stderr.readline()
            words = said.split()
            assert any(word.startswith("http") for word in words), said + process.stderr.read()
            url = next(word for word in words if word.startswith("http"))
            said += process.stderr.readline()
            with httpx2.Client(trust_env=False) as client:
                Person(client, name).follow(url, "never:")
            said += process.stderr.read()
            watchdog.cancel()
            return process.wait(), said


@pytest.fixture
def user(tmp_path: Path, site: Site) -> User:
    return User(tmp_path, site)


def test_a_code_a_question_a_renewal_and_a_farewell(user: User) -> None:
    status, said = user.log_in()
    assert status == 0, said
    assert f"You are logged in to {user.site.url}." in said
    assert stat.S_IMODE(user.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(user.file.parent.stat().st_mode) == 0o700

    asked = user.run("query", "{ viewer { subject login groups } }")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["data"]["viewer"] == {
        "subject": "alice@example.com",
        "login": "TOKEN",
        "groups": ["deployers", "everybody"],
    }

    # When it is about to end, it is renewed, once, and the new one is kept.
    (login,) = (kept := json.loads(user.file.read_text("utf-8"))).values()
    before, login["until"] = dict(login), 0
    user.file.write_text(json.dumps(kept), "utf-8")
    assert user.run("query", "{ viewer { subject } }").returncode == 0
    (after,) = json.loads(user.file.read_text("utf-8")).values()
    assert after["refresh_token"] != before["refresh_token"]
    assert after["until"] > before["until"] - 600

    assert user.run("logout").returncode == 0
    assert json.loads(user.file.read_text("utf-8")) == {}
    refused = user.run("query", "--server", user.site.url, "{ viewer { subject } }")
    assert refused.returncode == 1
    assert f"rollgraph login --server {user.site.url}" in refused.stderr
    assert json.loads(refused.stdout)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_login_that_has_ended_is_said_to_have(user: User) -> None:
    user.log_in()
    (login,) = (kept := json.loads(user.file.read_text("utf-8"))).values()
    login |= {"until": 0, "refresh_token": "made-up"}
    user.file.write_text(json.dumps(kept), "utf-8")
    asked = user.run("query", "{ viewer { subject } }")
    assert asked.returncode == 1
    assert f"the login has ended: log in with `rollgraph login --server {user.site.url}`" in (
        asked.stderr
    )
    assert "made-up" not in asked.stderr


def test_a_query_comes_from_where_it_is_said_to(user: User, tmp_path: Path) -> None:
    user.log_in()
    document = "query Q($n: Int) { rollouts(first: $n) { totalCount } }"
    (tmp_path / "q.graphql").write_text(document, "utf-8")
    server = ("--server", user.site.url)
    for words, given in (
        ((str(tmp_path / "q.graphql"), "--var", "n=1"), ""),
        (("-", "--var", "n=1"), document),
        (("--var", "n=1"), document),
        ((document, "--var", "n=1"), ""),
    ):
        asked = user.run("query", *words, *server, given=given)
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout) == {"data": {"rollouts": {"totalCount": 0}}}
    wrong = user.run("query", document, "--var", "n=many", *server)
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["errors"]
    assert user.run("query", "nowhere.graphql", *server).returncode == 2
    assert user.run("query", document, "--var", "n", *server).returncode == 2


def test_a_token_of_the_environment_goes_before(user: User) -> None:
    user.log_in()
    user.environ["ROLLGRAPH_TOKEN"] = "not.a.token"
    asked = user.run("query", "{ viewer { subject } }")
    assert asked.returncode == 1
    assert "not.a.token" not in asked.stdout + asked.stderr


def test_a_token_is_not_sent_in_the_clear(user: User) -> None:
    asked = user.run("query", "{ viewer { subject } }", "--server", "http://rollgraph.example.com")
    assert asked.returncode == 2
    assert "https://" in asked.stderr


def test_access_tokens_as_rfc9068_has_them_are_asked_for_and_taken(
    serve: Serve, tmp_path: Path
) -> None:
    site = serve(
        *("--oidc-profile", "rfc9068"),
        *("--oidc-audience", AUDIENCE),
        *("--oidc-resource", AUDIENCE),
        *("--oidc-username-claim", "sub"),
        *("--oidc-scope", "rollouts:read"),
    )
    user = User(tmp_path, site)
    status, said = user.log_in()
    assert status == 0, said
    asked = user.run("query", "{ viewer { subject login groups scopes } }")
    assert json.loads(asked.stdout)["data"]["viewer"] == {
        "subject": "alice",
        "login": "TOKEN",
        "groups": ["deployers", "everybody"],
        "scopes": ["rollouts:read"],
    }
    (login,) = json.loads(user.file.read_text("utf-8")).values()
    assert login["sent"] == "access_token"
    assert urlsplit(login["issuer"]).port == site.idp.port


def test_watching_takes_the_login_and_ends_with_3_without(user: User) -> None:
    words = ("watch", "--server", user.site.url, "--timeout", "2s")
    refused = user.run(*words)
    assert refused.returncode == 3
    assert f"log in with `rollgraph login --server {user.site.url}`" in refused.stderr
    user.log_in()
    watched = user.run(*words)
    assert watched.returncode == 124, watched.stderr
    assert watched.stderr.endswith("timed out after 2 s\n")
