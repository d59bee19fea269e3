"""Where a Redis is, as an operator writes it."""

import pytest

from rollgraph.adapters.redis.urls import Address, address, place
from rollgraph.core.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("redis://redis", Address((("redis", 6379),))),
        ("redis://:p%40ss@redis:6380/3", Address((("redis", 6380),), password="p@ss", database=3)),
        ("rediss://ann@[::1]:7000", Address((("::1", 7000),), secure=True, user="ann")),
        ("redis+cluster://a:1,b:2", Address((("a", 1), ("b", 2)), cluster=True)),
        (
            "rediss+cluster://ann:p:w@a,[2001:db8::1]:7/0",
            Address(
                (("a", 6379), ("2001:db8::1", 7)),
                secure=True,
                cluster=True,
                user="ann",
                password="p:w",
            ),
        ),
    ],
)
def test_a_url_says_where_and_as_whom(url: str, read: Address) -> None:
    assert address(url) == read


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis:6379", "expected redis://HOST:PORT"),
        ("http://:s3cret@redis", "expected redis://HOST:PORT"),
        ("redis://:s3cret@", "expected redis://HOST:PORT"),
        ("redis://:s3cret@redis?ssl_cert_reqs=none", "expected redis://HOST:PORT"),
        ("redis://:s3cret@redis:x", "expected redis://HOST:PORT"),
        ("redis://:s3cret@redis:65536", "a port between 1 and 65535"),
        ("redis://:s3cret@a,b", "redis+cluster:// before several"),
        ("redis+cluster://:s3cret@a,b/1", "a Redis Cluster has no database but 0"),
        ("redis+sentinel://:s3cret@a,b/main", "Redis Sentinel is not supported"),
    ],
)
def test_what_makes_no_sense_is_refused_without_being_repeated(url: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        address(url)
    assert says in str(told.value)
    assert "s3cret" not in str(told.value)


def test_a_place_has_no_secret() -> None:
    assert place("rediss://ann:s3cret@redis:6380/3") == "redis:6380"
    assert place("redis+cluster://ann:s3cret@a,[::1]:7") == "a:6379,[::1]:7"
