"""Whole numbers in text: revisions, generations and counts come as strings."""

import re

_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_LIMIT = 2**63


def integer(text: str) -> int | None:
    """The number that Go's `strconv.Atoi` reads in a text, or None where it fails.

    Python's own `int` takes more ("1_000", " 1 ", digits of other scripts) and raises for long
    texts; anyone who may annotate an object may write such a text.
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if -_LIMIT <= number < _LIMIT else None
