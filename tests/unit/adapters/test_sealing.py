"""Secrets that are kept where others may look."""

from base64 import b64encode

import pytest

from rollgraph.adapters.sealing import JweSealing, keys_of
from rollgraph.core.errors import ConfigError

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
PLAIN = b"refresh token\x00\xff"


def text(*keys: bytes) -> str:
    return "".join(f"{b64encode(key).decode()}\n" for key in keys)


def test_what_is_sealed_tells_nothing_and_is_never_the_same() -> None:
    seals = JweSealing([NEW])
    one, other = seals.seal(PLAIN), seals.seal(PLAIN)
    assert b"refresh" not in one
    assert one != other
    assert seals.unseal(one) == seals.unseal(other) == PLAIN


def test_a_key_that_is_followed_by_another_still_unseals() -> None:
    before = JweSealing([OLD]).seal(PLAIN)
    both = JweSealing([NEW, OLD])
    assert both.unseal(before) == PLAIN
    assert JweSealing([NEW]).unseal(both.seal(PLAIN)) == PLAIN
    assert JweSealing([OLD]).unseal(both.seal(PLAIN)) is None


@pytest.mark.parametrize("at", range(5))
def test_what_was_changed_is_not_believed(at: int) -> None:
    seals = JweSealing([NEW])
    parts = seals.seal(PLAIN).split(b".")
    assert len(parts) == 5
    parts[at] = parts[at][:-3] + b"AAA"
    assert seals.unseal(b".".join(parts)) is None


@pytest.mark.parametrize(
    "sealed", [b"", b"nonsense", b"\x91\xff", b"a.b.c.d.e", JweSealing([OTHER]).seal(PLAIN)]
)
def test_what_is_not_ours_is_none(sealed: bytes) -> None:
    assert JweSealing([NEW, OLD]).unseal(sealed) is None


def test_keys_stand_one_a_line() -> None:
    assert keys_of(f"{text(NEW)}\n {text(OLD)}") == [NEW, OLD]


@pytest.mark.parametrize("wrong", ["", "\n", "s3cret", text(b"s3cret"), text(NEW) + "s3cret="])
def test_what_is_no_key_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(ConfigError, match="`openssl rand -base64 32` makes one") as told:
        keys_of(wrong)
    assert "s3cret" not in str(told.value)
