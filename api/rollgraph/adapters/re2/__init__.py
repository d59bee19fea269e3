"""Regular expressions in policies, by RE2."""

from rollgraph.adapters.re2.regexes import Regexes

__all__ = ["Regexes"]
