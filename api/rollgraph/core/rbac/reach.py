"""Whether a glob can match anything in a cluster, or in a namespace of it.

Both are globs then, the policy's and `cluster/namespace/*`, and the question is whether some text
matches both: the second is walked along the first, with all the places where that may stand.
"""

import re
from collections.abc import Iterable, Iterator

from rollgraph.core.rbac.globs import STAR, Tokens, alternatives

# The tokens that match a slash and nothing else.
_SLASHES = ("/", "[/]")


def reaches(pattern: str, cluster: str | None, namespace: str | None) -> bool:
    """Whether a good glob matches `cluster/namespace/name` for some name; None is any name."""
    return any(_meet(tokens, list(_steps(cluster, namespace))) for tokens in alternatives(pattern))


def _steps(cluster: str | None, namespace: str | None) -> Iterator[str]:
    """The characters of the second glob, and STAR for any text without a slash."""
    for part in (cluster, namespace):
        yield from (STAR,) if part is None else part
        yield "/"
    yield STAR


def _meet(tokens: Tokens, steps: Iterable[str]) -> bool:
    places = _resting(tokens, {0})
    for step in steps:
        if step == STAR:
            places = _anywhere(tokens, places)
        else:
            places = _resting(tokens, set(_after(tokens, places, step)))
        if not places:
            return False
    return len(tokens) in places


def _after(tokens: Tokens, places: set[int], char: str) -> Iterator[int]:
    """Where the first glob may stand after one more character."""
    for place in places:
        if place == len(tokens):
            continue
        if tokens[place] == STAR:
            yield place
        elif re.fullmatch(tokens[place], char, re.DOTALL):
            yield place + 1


def _anywhere(tokens: Tokens, places: set[int]) -> set[int]:
    """Where the first glob may stand after any text without a slash."""
    found = set(places)
    for start in places:
        place = start
        while place < len(tokens) and tokens[place] not in _SLASHES:
            place += 1
            found.add(place)
    return found


def _resting(tokens: Tokens, places: set[int]) -> set[int]:
    """The same, and the places behind stars, which need not match anything."""
    found = set(places)
    for place in places:
        while place < len(tokens) and tokens[place] == STAR:
            place += 1
            found.add(place)
    return found
