"""Image references, by the examples of github.com/distribution/reference."""

import pytest

from rollgraph.core.actions.imagereference import complaint

F64 = "f" * 64


@pytest.mark.parametrize(
    "image",
    [
        "test.com:tag",
        "test.com:5000",
        "test.com/repo:tag",
        "test:5000/repo:tag",
        f"test:5000/repo@sha256:{F64}",
        f"test:5000/repo:tag@sha256:{F64}",
        "lowercase:Uppercase",
        f"{'a/' * 127}a:tag-puts-this-over-max",
        "sub-dom1.foo.com/bar/baz/quux:some-long-tag",
        "b.gcr.io/test.example.com/my-app:test.example.com",
        "xn--n3h.com/myimage:xn--n3h.com",
        f"xn--7o8h.com/myimage:xn--7o8h.com@sha512:{F64}{F64}",
        "foo_bar.com:8080",
        "foo/foo_bar.com:8080",
        "192.168.1.1:5000/repo:5050",
        "[2001:db8:1:2:3:4:5:6]/repo:tag",
        "[2001:db8::1]:5000/repo:tag",
        f"[2001:db8::1]:5000/repo:tag@sha256:{F64}",
        f"example.com/{'a' * 255}:tag",
    ],
)
def test_a_reference_is_taken(image: str) -> None:
    assert complaint(image) == ""


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("", "is no image reference"),
        (":justtag", "is no image reference"),
        (f"@sha256:{F64}", "is no image reference"),
        ("repo@sha256:ffffffffffffffffffffffffffffffffff", "has 64 characters"),
        (f"validname@invaliddigest:{F64}", "unknown digest invaliddigest"),
        (f"repo@sha256:{'F' * 64}", "from 0-9 and a-f"),
        ("Uppercase:tag", "is no image reference"),
        ("test:5000/Uppercase/lowercase:tag", "is no image reference"),
        (f"domain/{'a' * 256}:tag", "has 255 characters at most"),
        ("aa/asdf$$^/aa", "is no image reference"),
        ("[2001:db8::1]:tag", "is no image reference"),
        ("[fe80::1%eth0]:5000/repo", "is no image reference"),
        ("repo:tag\n", "is no image reference"),
        ("repo:t\u00e4g", "is no image reference"),
        (f"{'a' * 2_000}:tag", "has 1024 characters at most"),
    ],
)
def test_what_is_none_is_told(image: str, words: str) -> None:
    assert words in complaint(image)


@pytest.mark.parametrize("image", ["test_com", "test:5000/repo", "192.168.1.1", "[::1]:5000/repo"])
def test_one_without_a_version_is_told_how_to_name_one(image: str) -> None:
    assert complaint(image) == f"'{image}' names no version: add a tag ({image}:1.2.3) or a digest"
