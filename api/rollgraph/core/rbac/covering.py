"""What can be said of globs without a text to match: which leaves out nothing that another has."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from rollgraph.core.rbac.globs import STAR, alternatives

# Stand for what a glob that is looked at as a text leaves open, a star and one character.
_ANY_TEXT = "\0"
_ANY_CHARACTER = "\1"


def covers(wide: str, narrow: str) -> bool:
    """Whether a good glob matches whatever another does.

    True is certain. False may also mean that it takes more than a look at one alternative of each
    to see it.
    """
    return all(any(matches(text) for matches in _regexes(wide)) for text in _texts(narrow))


def most_slashes(pattern: str) -> int | None:
    """How many slashes a text can have that a good glob matches; None for any number."""
    most = 0
    for tokens in alternatives(pattern):
        if STAR in tokens:
            return None
        most = max(most, sum(re.fullmatch(token, "/", re.DOTALL) is not None for token in tokens))
    return most


# A policy of 1,000 lines has its words in many of them.
@lru_cache(maxsize=4096)
def _regexes(glob: str) -> Sequence[Callable[[str], object]]:
    every = (f"(?s:{''.join(map(_wide, tokens))})" for tokens in alternatives(glob))
    return [re.compile(regex).fullmatch for regex in every]


@lru_cache(maxsize=4096)
def _texts(glob: str) -> Sequence[str]:
    return ["".join(map(_narrow, tokens)) for tokens in alternatives(glob)]


def _wide(token: str) -> str:
    """A star has all, a `?` any character, and a class nothing that is left open."""
    if token == ".":
        return f"[^{_ANY_TEXT}]"
    if token.startswith("["):
        return f"(?![{_ANY_TEXT}{_ANY_CHARACTER}]){token}"
    return token


def _narrow(token: str) -> str:
    if token == STAR:
        return _ANY_TEXT
    return _ANY_CHARACTER if token == "." or token.startswith("[") else token[-1]
