"""No login is kept on Redis as it is: who shares one has a key, or does not start."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from rollgraph.core.errors import ConfigError
from rollgraph.server.auth import wiring
from rollgraph.server.auth.sealing import sealing
from rollgraph.server.settings import Auth, AuthMode, Oidc, Redis, Settings

KEY = b64encode(b"k" * 32).decode()


def settings(file: Path | None = None, *, redis: str = "redis://redis", **oidc: Any) -> Settings:
    auth = Auth(mode=AuthMode.OIDC, session_secret_file=file)
    own = Oidc(**{"issuer": "https://idp.example.com", "client_id": "browser", **oidc})
    return Settings(auth=auth, oidc=own, redis=Redis(url=redis))


def test_without_a_key_nothing_starts_and_it_is_said_how_to_make_one() -> None:
    with pytest.raises(ConfigError) as told:
        wiring.check(settings())
    assert str(told.value) == (
        "auth.session_secret_file (--session-secret-file): expected a file with a key, since"
        " people log in with a browser and their tokens are kept on Redis:"
        " `openssl rand -base64 32` makes one, the same for all gateways"
    )


def test_who_shares_nothing_or_has_no_browsers_needs_no_key() -> None:
    for unneeded in (
        settings(redis=""),
        settings(client_id="", cli_client_id="cli"),
        Settings(redis=Redis(url="redis://redis")),
    ):
        wiring.check(unneeded)
        assert sealing(unneeded) is None


def test_gateways_with_one_file_unseal_what_the_other_has_sealed(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n", "utf-8")
    one, other = sealing(settings(file)), sealing(settings(file))
    assert one is not None
    assert other is not None
    assert other.unseal(one.seal(b"login")) == b"login"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"s3cret", "expected a key of 32 bytes in Base64 on each line"),
        (b"\xff", "cannot be read: not text"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as told:
        wiring.check(settings(file))
    assert f"(--session-secret-file): {file}" in str(told.value)
    assert says in str(told.value)
    assert "s3cret" not in str(told.value)
