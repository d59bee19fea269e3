"""What makes a policy of ours a wrong one, although each of its lines can be read.

Each of these is a rule that does nothing, and if it was to forbid something, then nothing is
forbidden: such a policy is not taken.
"""

from collections.abc import Iterable, Iterator

from rollgraph.core.rbac.patterns import BadPatternError, Patterns
from rollgraph.core.rbac.policy import ALLOW, DENY, Policy, Rule
from rollgraph.core.verbs import Verb

# What a policy of ours can be about, and what can be done to each.
ACTIONS: dict[str, tuple[str, ...]] = {
    "rollouts": tuple(Verb),
    "clusters": ("get",),
    "audit": ("get",),
}


def problems(policy: Policy, patterns: Patterns, default_role: str) -> Iterator[str]:
    """What is wrong, a line for each."""
    for rule in policy.rules:
        for problem in (_effect(rule), *_patterns(rule, patterns)):
            if problem:
                yield f"{rule.origin}: {problem}"
    known = {rule.subject for rule in policy.rules} | {grant.member for grant in policy.grants}
    for grant in policy.grants:
        if grant.role not in known:
            yield f"{grant.origin}: {_unknown(grant.role)}"
    if default_role and default_role not in known:
        yield f"the default role: {_unknown(default_role)}"


def _unknown(role: str) -> str:
    return f"role {role!r} is not known: expected a role that a p or g line gives something"


def _effect(rule: Rule) -> str | None:
    if rule.effect in {ALLOW, DENY}:
        return None
    return f"expected the effect allow or deny, in small letters; got {rule.effect!r}"


def _patterns(rule: Rule, patterns: Patterns) -> Iterator[str]:
    good = True
    for field in ("resource", "action", "object"):
        text = getattr(rule, field)
        try:
            patterns.check(text)
        except BadPatternError as error:
            good = False
            yield f"{field} {text!r}: {error}"
    if good:
        yield from _words(rule, patterns)


def _words(rule: Rule, patterns: Patterns) -> Iterator[str]:
    resources = _matched(rule.resource, ACTIONS, patterns)
    if not resources:
        expected = ", ".join(ACTIONS)
        yield f"resource {rule.resource!r}: expected one of {expected}, or a pattern of it"
        return
    actions = dict.fromkeys(action for name in resources for action in ACTIONS[name])
    if not _matched(rule.action, actions, patterns):
        expected = ", ".join(actions)
        yield f"action {rule.action!r}: expected one of {expected}, or a pattern of it"


def _matched(pattern: str, words: Iterable[str], patterns: Patterns) -> list[str]:
    matches = patterns.any([pattern])
    return [word for word in words if matches(word)]
