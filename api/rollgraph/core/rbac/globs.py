r"""Globs as Argo CD's policies have them: gobwas/glob without separators, of the whole text.

`*` and `**` any text, slashes too; `?` one character; `[abc]` and `[a-z]` one of a class, `[!…]`
one that is not in it; `{a,b}` one of several, nested at will; `\` takes the next character as it
is. A class is either one range or a list: gobwas finds `[a-c-e]` wrong, and in `[ab-c]` four
characters. What is odd is kept as it is: a `}` alone is a character, a `{` that is never closed
ends with the text, and a `\` at the end is nothing. What is a fault of gobwas is not kept: with a
star beside braces that have one, as in `*{a,*}`, it sometimes finds no match where there is one.

Braces are multiplied out, and the outcome is a list of tokens per alternative.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from rollgraph.core.rbac.patterns import BadPatternError

# The longest object is a cluster's name, a namespace and a rollout's: some 600 characters. A list
# of a hundred teams in braces has 2,000.
MAX_GLOB = 4096
# How many globs `{}` may stand for in one pattern.
MAX_ALTERNATIVES = 1024

# A token is a regular expression for one character, or STAR.
STAR = ".*"
Tokens: TypeAlias = tuple[str, ...]

_PLAIN = re.compile(r"[^*?\[{},\\]+")
# `re.escape` takes longer than all the rest.
_escape = lru_cache(maxsize=1024)(re.escape)

_NOTHING: tuple[Tokens, ...] = ((),)


def alternatives(pattern: str) -> tuple[Tokens, ...]:
    """The globs without braces that a glob stands for; raises `BadPatternError`."""
    return _read(pattern) if "{" in pattern else _read_once(pattern)


def _read(pattern: str) -> tuple[Tokens, ...]:
    if len(pattern) > MAX_GLOB:
        raise BadPatternError(f"it has {len(pattern)} characters; at most {MAX_GLOB} are read")
    return _Parser(pattern).alternatives()


# Each glob of a policy is looked at some five times while that is read. One takes some 500 bytes,
# with braces it may take a thousand times as much.
_read_once = lru_cache(maxsize=16_384)(_read)


class _Open(NamedTuple):
    """A brace that is not closed yet: what came before it, and its finished choices."""

    before: tuple[Tokens, ...]
    choices: list[Tokens]


class _Parser:
    """Reads one glob, left to right; nesting is a list here, not recursion."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self._so_far = _NOTHING
        self._open: list[_Open] = []

    def alternatives(self) -> tuple[Tokens, ...]:
        while self._position < len(self._pattern):
            self._item(self._take())
        while self._open:
            self._close()
        return self._so_far

    def _item(self, char: str) -> None:
        match char:
            case "*":
                self._append(STAR)
            case "?":
                self._append(".")
            case "[":
                self._append(self._class())
            case "{":
                self._open.append(_Open(self._so_far, []))
                self._so_far = _NOTHING
            case "," if self._open:
                self._open[-1].choices.extend(self._so_far)
                self._so_far = _NOTHING
            case "}" if self._open:
                self._close()
            case "\\":
                self._append(*map(_escape, self._escaped()))
            case _:
                self._append(_escape(char), *map(_escape, self._plain()))

    def _take(self) -> str:
        self._position += 1
        return self._pattern[self._position - 1]

    def _plain(self) -> str:
        """What follows of characters that stand for themselves everywhere."""
        match = _PLAIN.match(self._pattern, self._position)
        self._position += len(match[0]) if match is not None else 0
        return match[0] if match is not None else ""

    def _escaped(self) -> str:
        return self._take() if self._position < len(self._pattern) else ""

    def _append(self, *tokens: str) -> None:
        self._so_far = tuple((*before, *tokens) for before in self._so_far)

    def _close(self) -> None:
        before, choices = self._open.pop()
        choices.extend(self._so_far)
        if choices == [()]:
            raise self._wrong("'{}' without anything in it")
        if len(before) * len(choices) > MAX_ALTERNATIVES:
            raise self._wrong(f"'{{}}' stands for more than {MAX_ALTERNATIVES} alternatives")
        self._so_far = tuple(dict.fromkeys((*head, *tail) for head in before for tail in choices))

    def _class(self) -> str:
        """A class as a regular expression; its bracket has been read."""
        negated = self._pattern.startswith("!", self._position)
        self._position += negated
        if self._pattern.startswith("-", self._position + 1):
            members = self._range()
        else:
            members = "".join(map(_escape, self._list()))
        if not self._pattern.startswith("]", self._position):
            raise self._wrong("'[' is never closed, or has more than one range")
        self._position += 1
        return f"[{'^' if negated else ''}{members}]"

    def _range(self) -> str:
        low, high = self._pattern[self._position], self._pattern[self._position + 2 :][:1]
        self._position += 3
        if high < low:
            raise self._wrong(f"the range {low}-{high} is empty")
        return f"{re.escape(low)}-{re.escape(high)}"

    def _list(self) -> Iterator[str]:
        start = self._position
        while self._position < len(self._pattern) and self._pattern[self._position] != "]":
            char = self._take()
            yield from self._escaped() if char == "\\" else char
        if self._position == start:
            raise self._wrong("a class without characters; write '\\[' for the character")

    def _wrong(self, what: str) -> BadPatternError:
        return BadPatternError(f"column {self._position}: {what}")


def total(pattern: str, slashes: int) -> bool:
    """Whether a good glob matches every text with so many slashes, as its stars alone can tell."""
    return any(
        (STAR, "/") * count + (STAR,) == normal(tokens)
        for tokens in alternatives(pattern)
        for count in range(slashes + 1)
    )


def normal(tokens: Sequence[str]) -> Tokens:
    """The same with runs of stars made one."""
    return tuple(
        token for i, token in enumerate(tokens) if not (i and token == STAR == tokens[i - 1])
    )
