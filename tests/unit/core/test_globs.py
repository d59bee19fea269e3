"""Globs match what they say, refuse what they cannot say, and never blow up."""

import re
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollgraph.core.errors import BadFilterError
from rollgraph.core.globs import MAX_GLOB, glob, regex

IMAGE = "ghcr.io/acme/checkout:1.4.2"


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "**",
        "ghcr.io/*",
        "*/checkout:*",
        "*:1.4.?",
        "*:[0-9].[0-9].[!0-13-9]",
        "{ghcr.io,docker.io}/acme/*",
        "ghcr.io/acme/{pay,{check,roll}out}:*",
        "ghcr.io/acme/checkout:1.4.2{,-debug}",
        "*check*out*:*4*",
        IMAGE,
    ],
)
def test_a_glob_matches(pattern: str) -> None:
    assert glob(pattern)(IMAGE)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "checkout",
        "*checkout",
        "ghcr.io/acme/checkout:1?4",
        "*:[!0-9]*",
        "{a,b}*",
        "GHCR*",
        "*\n",
    ],
)
def test_a_glob_speaks_of_the_whole_text(pattern: str) -> None:
    assert not glob(pattern)(IMAGE)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\*", "*"),
        (r"\{a,b\}", "{a,b}"),
        (r"[\]\-\\]", "]"),
        (r"[\]\-\\]", "\\"),
        ("[a-]", "-"),
        ("[-a]", "-"),
        ("[a!]", "!"),
        ("[^a]", "^"),
        ("[[a]", "["),
        ("a,b", "a,b"),
        ("a.c", "a.c"),
        ("]", "]"),
        ("?", "\n"),
        ("?", "😀"),
        ("[ж-я]", "щ"),
    ],
)
def test_special_characters_can_be_meant_as_they_are(pattern: str, text: str) -> None:
    assert glob(pattern)(text)


def test_a_dot_is_no_wildcard() -> None:
    assert not glob("a.c")("abc")
    assert not glob("[^a]")("b")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("web-[ab", "column 5: '[' is never closed; write '\\[' for the character"),
        ("web-[]", "column 5: a class without characters; write '\\[' for the character"),
        ("web-[!]", "column 5: a class without characters; write '\\[' for the character"),
        ("[z-a]", "column 4: the range z-a is empty"),
        ("{a,b", "column 1: '{' is never closed"),
        ("{a,{b,c}", "column 1: '{' is never closed"),
        ("a}", "column 2: '}' without '{'; write '\\}' for the character"),
        ("web\\", "column 4: a character is expected after '\\'"),
    ],
)
def test_an_error_says_where_and_what_is_wrong(pattern: str, problem: str) -> None:
    with pytest.raises(BadFilterError) as caught:
        glob(pattern)
    assert str(caught.value) == f"glob {pattern!r}, {problem}"


def test_braces_that_multiply_are_refused() -> None:
    with pytest.raises(BadFilterError, match=r"stands for more than 64 alternatives$"):
        glob("{a,b}" * 7)
    assert glob("{a,b}" * 6)("ababab")
    with pytest.raises(BadFilterError, match=r"stands for more than 64 alternatives$"):
        glob("{" + ",".join("x" * 65) + "}")
    with pytest.raises(BadFilterError, match=r"never closed"):
        glob("{" * MAX_GLOB)
    with pytest.raises(BadFilterError, match=r"more than 64 '\?' and '\[\]'"):
        glob("*{a,b}{a,b}[!a][!b]" + "?" * 15)
    with pytest.raises(BadFilterError, match="the glob has 513 characters; at most 512"):
        glob("*" * (MAX_GLOB + 1))


# Few letters, so that parts overlap in every way.
PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "*a*", "**"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: "{" + ",".join(parts) + "}"),
    ),
    max_leaves=8,
)


def naive(pattern: str, text: str) -> bool:
    """The meaning of a glob made of `a b * ? [ab] [!a] {,}`, tried out in every way."""
    opening = pattern.find("{")
    if opening >= 0:
        depth, start, choices = 0, opening + 1, []
        for at in range(opening, len(pattern)):
            depth += {"{": 1, "}": -1}.get(pattern[at], 0)
            if (pattern[at] == "," and depth == 1) or depth == 0:
                choices.append(pattern[start:at])
                start = at + 1
            if depth == 0:
                head, tail = pattern[:opening], pattern[at + 1 :]
                return any(naive(head + choice + tail, text) for choice in choices)
    tokens = re.findall(r"\[.*?\]|.", pattern)

    @cache
    def matches(i: int, j: int) -> bool:
        if i == len(tokens):
            return j == len(text)
        if tokens[i] == "*":
            return matches(i + 1, j) or (j < len(text) and matches(i, j + 1))
        allowed = {"?": "abc", "[ab]": "ab", "[!a]": "bc"}.get(tokens[i], tokens[i])
        return j < len(text) and text[j] in allowed and matches(i + 1, j + 1)

    return matches(0, 0)


@given(pattern=PATTERNS, text=st.text(alphabet="abc", max_size=10))
@example(pattern="*{aba,b}*a", text="aba")
@example(pattern="{*a,b}*b?", text="abab")
def test_a_glob_means_what_trying_everything_means(pattern: str, text: str) -> None:
    try:
        test = glob(pattern)
    except BadFilterError as error:
        assert "more than 64" in str(error)  # noqa: PT017
        return
    assert test(text) == naive(pattern, text)


# One alternative: one-character matchers, stars in atomic groups, and one plain star at most.
_ONE = r"(?:\\.|\.|\[(?:\\.|[^\]\\])+\]|[^\\.*+?()\[\]{}|])"
_ALTERNATIVE = re.compile(rf"{_ONE}*(?:(?:\(\?>\.\*\?{_ONE}+\))*\.\*{_ONE}*)?", re.DOTALL)


def steps(alternative: str, length: int) -> int:
    """An upper bound of the characters that `re` looks at for one alternative.

    Each atomic group is left once and never entered again; within it, and for the plain star, each
    place of the text is tried once, and each try looks at the fixed part that follows.
    """
    parts = re.split(r"\.\*\??", alternative)
    return sum((length + 1) * (len(part) + 1) for part in parts)


@given(pattern=st.one_of(PATTERNS, st.text(alphabet="ab*?{},[]!-\\.+^$|()#&~ \n", max_size=30)))
@example(pattern="*a" * 200)
@example(pattern="*" * 500)
@example(pattern="{*a,*b}*{a*,b*}")
def test_no_glob_can_backtrack_more_than_one_star(pattern: str) -> None:
    try:
        compiled = regex(pattern)
    except BadFilterError:
        return
    alternatives = unescaped_split(compiled.removeprefix("(?s:").removesuffix(")"))
    for alternative in alternatives:
        assert _ALTERNATIVE.fullmatch(alternative), alternative
    assert sum(steps(alternative, 400) for alternative in alternatives) <= 401 * 64 * MAX_GLOB


def unescaped_split(text: str) -> list[str]:
    return re.split(r"(?<!\\)(?:\\\\)*\|", text)


@pytest.mark.parametrize(
    "pattern", ["*a" * 150 + "b", "*aaaa" * 60 + "*b", "{*a,*b}" * 6 + "*c", "*?" * 64 + "b"]
)
def test_patterns_that_blow_up_elsewhere_are_answered(pattern: str) -> None:
    """A backtracking matcher would need longer than the universe has: the time limit fails it."""
    assert not glob(pattern)("a" * 3000)
