"""Why a policy decides as it does: the line that settled it, and how it came to be about the user.

It goes through the rules one by one and is no part of what decides while Rollgraph serves.
"""

from collections.abc import Sequence

import msgspec

from rollgraph.core.rbac.patterns import BadPatternError
from rollgraph.core.rbac.policy import ALLOW, DENY, Rule
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.rulebook import Rulebook


class Explanation(msgspec.Struct, frozen=True):
    """An answer with its reason.

    Attributes:
        rule: The line that allows it, or forbids it; None if none does.
        path: From a name of the user (or the default role) over roles to whom the rule is about.
        broken: What is wrong with the rule's pattern, where that makes Argo CD say no.
    """

    allowed: bool
    rule: Rule | None = None
    path: tuple[str, ...] = ()
    broken: str = ""


def explain(
    policies: PolicySet, names: Sequence[str], resource: str, action: str, object: str
) -> Explanation:
    """Decides as `PolicySet.allows` does, and says why."""
    book = policies.of(resource, object)
    found = Explanation(allowed=False)
    for heard in book.hearing(names):
        said = _explain(book, heard, (resource, action, object))
        if said.allowed:
            return said
        # The user is heard first, and what is said of them tells more than what is said of a group.
        found = said if found.rule is None else found
    return found


def _explain(book: Rulebook, names: Sequence[str], asked: tuple[str, str, str]) -> Explanation:
    by_effect: dict[str, Rule] = {}
    for rule in book.rules(names):
        try:
            if all(map(book.matches, (rule.resource, rule.action, rule.object), asked)):
                by_effect.setdefault(rule.effect, rule)
        except BadPatternError as error:
            return Explanation(False, rule, book.path(names, rule.subject), str(error))
    for effect in (DENY, ALLOW):
        if effect in by_effect:
            rule = by_effect[effect]
            return Explanation(effect == ALLOW, rule, book.path(names, rule.subject))
    return Explanation(allowed=False)
