"""A login at one gateway is one at the other, and nobody who looks at Redis learns of it."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.servers import RedisServer, redis_server
from integration.login.conftest import COOKIE, Serve

QUESTION = "{ viewer { subject login } }"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as running:
        yield running


def test_a_login_is_shared_and_sealed(serve: Serve, redis: RedisServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b64encode(b"k" * 32))
    flags = ("--redis", redis.url, "--session-secret-file", str(key))
    one = serve(*flags)
    other = serve(*flags, beside=one)
    browser = one.browser()
    browser.log_in()
    known = {"subject": "alice@example.com", "login": "SESSION"}
    assert browser.ask(QUESTION).json()["data"]["viewer"] == known

    there = other.browser()
    there.keep(COOKIE, browser.cookie(COOKIE))
    there.csrf = there.session()["csrf"]
    assert there.csrf == browser.csrf
    assert there.ask(QUESTION).json()["data"]["viewer"] == known
    # Five parts, of which the first says how it is sealed; the others are not to be read.
    (name,) = redis.ask("--scan", "--pattern", "rollgraph:{sessions}:" + "?" * 64).split()
    sealed = redis.ask("GET", name)
    assert len(sealed.split(".")) == 5
    for secret in (browser.cookie(COOKIE), browser.csrf):
        assert secret not in name + sealed

    ours = {"origin": other.url, "x-rollgraph-csrf": there.csrf}
    assert there.client.post("/auth/logout", headers=ours).status_code == 200
    assert browser.ask(QUESTION).status_code == 401
