"""Patterns of policies: globs of ours, and regular expressions by RE2."""

from rollgraph.adapters.re2.regexes import Regexes
from rollgraph.core.rbac.patterns import Patterns
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyText
from rollgraph.core.rbac.trie import Globs

__all__ = ["Regexes", "patterns"]


def patterns(text: PolicyText) -> Patterns:
    """How the patterns of a policy are read."""
    if text.match_mode is MatchMode.GLOB:
        return Globs(overlapping=text.dialect is Dialect.ARGOCD)
    return Regexes(anchored=text.dialect is Dialect.ROLLGRAPH)
