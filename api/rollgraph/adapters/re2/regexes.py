"""Regular expressions of policies.

RE2 is the dialect of Go, and so of Argo CD's policies; what Python's `re` reads differs in places
that matter: `$` matches before a line break there, and `(?=…)` is good. And RE2 takes linear time
for whatever somebody wrote into a policy, where `(a+)+$` keeps `re` busy for ever.
"""

from collections.abc import Sequence

import re2

from rollgraph.core.rbac.patterns import BadPatternError, Matches

# Characters. Argo CD has no bound; the longest in use are lists of some hundred names.
MAX_REGEX = 4096
# Bytes for all patterns of a predicate; RE2 goes on more slowly where it has no more room. 500
# usual ones take less than one MiB.
MAX_MEMORY = 16 << 20


class Regexes:
    """`core.rbac.patterns.Patterns` that are regular expressions.

    Args:
        anchored: Whether one must match the whole text; in Argo CD any part of it will do.
    """

    def __init__(self, *, anchored: bool) -> None:
        self._anchored = anchored
        self._options = re2.Options()
        self._options.never_capture = True
        self._options.log_errors = False
        # `.*` of ours is everything. In Go's, a line break is not a character.
        self._options.dot_nl = anchored
        self._options.max_mem = MAX_MEMORY

    def check(self, pattern: str) -> None:
        """Raises `BadPatternError` for what RE2 does not read."""
        if len(pattern) > MAX_REGEX:
            raise BadPatternError(f"it has {len(pattern)} characters; at most {MAX_REGEX} are read")
        self._compiled(pattern)

    def any(self, patterns: Sequence[str]) -> Matches:
        """Whether one of some regular expressions matches."""
        for pattern in patterns:
            self.check(pattern)
        # What is quoted by `\Q` may reach into the next pattern.
        alone = [pattern for pattern in patterns if "\\Q" in pattern]
        together = [pattern for pattern in patterns if "\\Q" not in pattern]
        each = [*map(self._compiled, alone), *self._joined(together)]
        every = [regex.fullmatch if self._anchored else regex.search for regex in each]
        if len(every) == 1:
            (only,) = every
            return lambda text: only(text) is not None
        return lambda text: any(matches(text) is not None for matches in every)

    def _joined(self, patterns: Sequence[str]) -> "list[re2._Regexp]":
        """One regular expression for all; more of them where one would be too large for RE2."""
        if len(patterns) <= 1:
            return list(map(self._compiled, patterns))
        try:
            return [self._compiled("|".join(f"(?:{pattern})" for pattern in patterns))]
        except BadPatternError:
            half = len(patterns) // 2
            return [*self._joined(patterns[:half]), *self._joined(patterns[half:])]

    def weight(self, pattern: str) -> int:
        """One: RE2 does not multiply."""
        return 1

    def everything(self, pattern: str, slashes: int) -> bool:
        """True for `.*`, and what is as plain."""
        return pattern in ({".*"} if self._anchored else {"", ".*", "^.*", ".*$", "^.*$"})

    def _compiled(self, pattern: str) -> "re2._Regexp":
        try:
            return re2.compile(pattern, self._options)
        except re2.error as error:
            raise BadPatternError(str(error)) from None
