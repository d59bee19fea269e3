"""Whatever happens at a login, no log has a secret: not even at the level DEBUG."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from idp.provider import SECRET
from integration.login.conftest import COOKIE, PENDING, Browser, Serve
from integration.login.test_command_line import User


def test_no_log_has_a_secret(serve: Serve, tmp_path: Path) -> None:
    site = serve()
    user = User(tmp_path, site)
    browser = site.browser()
    secrets = {"client secret": SECRET}
    begun = browser.client.get("/auth/login")
    secrets |= _parts("asked", begun.headers["location"], "state", "nonce", "code_challenge")
    secrets["pending login"] = browser.cookie(PENDING)
    back = browser.authorize()
    secrets |= _parts("answered", back, "code", "state")
    browser.client.get(back)
    browser.client.get(back)  # again, which fails
    secrets["session"] = browser.cookie(COOKIE)
    browser.csrf = secrets["csrf"] = browser.session()["csrf"]
    _use(browser)

    user.log_in()
    (login,) = json.loads(user.file.read_text("utf-8")).values()
    secrets |= {"token": login["token"], "refresh token": login["refresh_token"]}
    secrets["signature"] = login["token"].rpartition(".")[2]
    login["until"] = 0
    user.file.write_text(json.dumps({site.url: login}), "utf-8")
    asked = user.run("query", "{ viewer { subject } crash: nothing }")
    said = asked.stdout + asked.stderr
    (login,) = json.loads(user.file.read_text("utf-8")).values()
    secrets |= {"newer token": login["token"], "newer refresh token": login["refresh_token"]}
    _spoil(browser, login["token"])
    site.idp.stop()
    browser.client.get("/auth/login")
    browser.client.get(back)

    log = site.log.read_text("utf-8")
    # It is there, and tells what happened.
    for event in ("logged_in", "login_failed", "/auth/callback", "request"):
        assert event in log
    for name, secret in secrets.items():
        assert len(secret) > 8, name
        assert secret not in log, name
        assert secret not in said, name
    # Nor any part of a JWT at all.
    assert "eyJ" not in log


def _parts(which: str, url: str, *names: str) -> dict[str, str]:
    found = dict(parse_qsl(urlsplit(url).query))
    return {f"{which} {name}": found[name] for name in names}


def _use(browser: Browser) -> None:
    assert browser.ask().status_code == 200
    assert browser.ask(**{"x-rollgraph-csrf": "wrong"}).status_code == 403
    assert browser.ask("{ nonsense }").status_code == 200


def _spoil(browser: Browser, token: str) -> None:
    """Sends the token in all the wrong ways."""
    for value in (f"Bearer {token}x", f"Bearer x{token}", f"Basic {token}", token):
        answer = browser.client.post(
            "/graphql", json={"query": "{ viewer { subject } }"}, headers={"authorization": value}
        )
        assert answer.status_code == 401
        assert token not in answer.text
        assert "eyJ" not in answer.text
    good = {"authorization": f"Bearer {token}"}
    answer = browser.client.post("/graphql", json={"query": "{ nonsense }"}, headers=good)
    assert token not in answer.text
