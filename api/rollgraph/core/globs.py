"""Globs: `*` any text, `?` one character, `[a-z]` and `[!x]` one of (none of) a class, `{a,b}` one
of several, `\\` takes the next character as it is. A glob speaks of the whole text.

A glob comes from a caller, so matching must not blow up. `{}` is multiplied out first; then what
stands between two stars has a fixed length, and the leftmost place where it fits is always as good
as any later one: no star ever has to be tried again. Atomic groups say so to `re`, and the cost is
at most (length of the text) x (length of the glob) per alternative.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from rollgraph.core.errors import BadFilterError

# The longest image reference in use is about 400 characters, a name at most 253.
MAX_GLOB = 512
# How many globs `{}` may stand for: a list of a few teams times a few environments.
MAX_ALTERNATIVES = 64
# Question marks and classes of all alternatives together. Behind a star they fit nearly everywhere,
# so that each costs a step for each character: 64 are up to 50 us for an image reference.
MAX_WILDCARDS = 64

# A glob without braces: one-character regexes, with None for a star.
_Plain = tuple[str | None, ...]
_STAR: _Plain = (None,)
_NOTHING: tuple[_Plain, ...] = ((),)


def glob(pattern: str) -> Callable[[str], bool]:
    """The predicate that a glob means.

    Raises `BadFilterError`, which names the column of what is wrong.
    """
    fullmatch = re.compile(regex(pattern)).fullmatch
    return lambda text: fullmatch(text) is not None


def regex(pattern: str) -> str:
    """The regular expression for a glob, free of backtracking but for the last star's."""
    if len(pattern) > MAX_GLOB:
        raise BadFilterError(
            f"the glob has {len(pattern)} characters; at most {MAX_GLOB} are allowed"
        )
    alternatives = dict.fromkeys(_regex(plain) for plain in _Parser(pattern).alternatives())
    return f"(?s:{'|'.join(alternatives)})"


def _regex(plain: _Plain) -> str:
    first, *rest = _between_stars(plain)
    if not rest:
        return first
    *middle, last = rest
    # Between two stars that touch is nothing to find.
    return first + "".join(f"(?>.*?{part})" for part in middle if part) + ".*" + last


def _between_stars(plain: _Plain) -> list[str]:
    parts = [""]
    for one in plain:
        if one is None:
            parts.append("")
        else:
            parts[-1] += one
    return parts


class _Open(NamedTuple):
    """A brace that is not closed yet: its column, what came before it, its finished choices."""

    column: int
    before: tuple[_Plain, ...]
    choices: list[_Plain]


class _Parser:
    """Reads one glob, left to right; nesting is a list here, not recursion."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self._so_far = _NOTHING
        self._open: list[_Open] = []

    def alternatives(self) -> tuple[_Plain, ...]:
        """The globs without braces that the glob stands for."""
        while self._position < len(self._pattern):
            char = self._take()
            match char:
                case "*":
                    self._append(_STAR)
                case "?":
                    self._append((".",))
                case "[":
                    self._append((self._class(),))
                case "{":
                    self._open.append(_Open(self._position, self._so_far, []))
                    self._so_far = _NOTHING
                case ",":
                    self._comma()
                case "}":
                    self._close()
                case _:
                    self._append((re.escape(self._literal(char)),))
        if self._open:
            raise self._wrong(self._open[-1].column, "'{' is never closed")
        self._check_wildcards()
        return self._so_far

    def _take(self) -> str:
        self._position += 1
        return self._pattern[self._position - 1]

    def _literal(self, char: str) -> str:
        if char != "\\":
            return char
        if self._position == len(self._pattern):
            raise self._wrong(self._position, "a character is expected after '\\'")
        return self._take()

    def _append(self, plain: _Plain) -> None:
        self._so_far = tuple((*before, *plain) for before in self._so_far)

    def _comma(self) -> None:
        if not self._open:
            self._append((",",))
            return
        self._open[-1].choices.extend(self._so_far)
        self._so_far = _NOTHING
        self._bounded(self._open[-1].choices)

    def _close(self) -> None:
        if not self._open:
            raise self._wrong(self._position, "'}' without '{'; write '\\}' for the character")
        _, before, choices = self._open.pop()
        choices.extend(self._so_far)
        self._bounded(choices)
        product = [(*head, *tail) for head in before for tail in choices]
        self._so_far = tuple(self._bounded(product))

    def _bounded(self, alternatives: list[_Plain]) -> list[_Plain]:
        if len(alternatives) > MAX_ALTERNATIVES:
            raise self._wrong(
                self._position, f"'{{}}' stands for more than {MAX_ALTERNATIVES} alternatives"
            )
        return alternatives

    def _check_wildcards(self) -> None:
        ones = (one for plain in self._so_far for one in plain if one is not None)
        if sum(one.startswith((".", "[")) for one in ones) > MAX_WILDCARDS:
            raise self._wrong(
                1, f"more than {MAX_WILDCARDS} '?' and '[]', counted for each alternative of '{{}}'"
            )

    def _class(self) -> str:
        """A class as a regular expression; the opening bracket has been read."""
        start = self._position
        negated = self._pattern.startswith("!", start)
        if negated:
            self._position += 1
        members: list[str] = []
        while (char := self._member(start)) is not None:
            members.append(self._range(char, start))
        if not members:
            raise self._wrong(start, "a class without characters; write '\\[' for the character")
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self, start: int) -> str | None:
        """The next character of a class; None where the class ends."""
        if self._position == len(self._pattern):
            raise self._wrong(start, "'[' is never closed; write '\\[' for the character")
        char = self._take()
        return None if char == "]" else self._literal(char)

    def _range(self, low: str, start: int) -> str:
        rest = self._pattern[self._position : self._position + 2]
        if len(rest) < 2 or rest[0] != "-" or rest[1] == "]":
            return re.escape(low)
        self._position += 1
        high = self._member(start)
        if high is None or high < low:
            raise self._wrong(self._position, f"the range {low}-{high} is empty")
        return f"{re.escape(low)}-{re.escape(high)}"

    def _wrong(self, column: int, what: str) -> BadFilterError:
        return BadFilterError(f"glob {self._pattern!r}, column {column}: {what}")
