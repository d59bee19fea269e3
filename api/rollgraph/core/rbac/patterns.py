"""What a pattern of a policy matches: the two ways to read it share one interface."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

Matches: TypeAlias = Callable[[str], bool]


class BadPatternError(ValueError):
    """A pattern cannot be understood; the message says why, and where in it."""


class Patterns(Protocol):
    """Reads patterns. What it gives takes nearly linear time, whatever the pattern."""

    def check(self, pattern: str) -> None:
        """Raises `BadPatternError` for what is no pattern."""

    def weight(self, pattern: str) -> int:
        """How many plain patterns a good one stands for."""

    def any(self, patterns: Sequence[str]) -> Matches:
        """Whether one of some patterns matches a text; raises `BadPatternError` as `check`."""

    def everything(self, pattern: str, slashes: int) -> bool:
        """True only if it matches every text with so many slashes.

        False may also mean that it is hard to tell.
        """
