"""What makes a policy of ours a wrong one, although each of its lines can be read.

Each of these is a rule that does nothing, and if it was to forbid something, then nothing is
forbidden: such a policy is not taken.
"""

from collections.abc import Iterable, Iterator

from rollgraph.core.rbac.covering import most_slashes
from rollgraph.core.rbac.patterns import BadPatternError, Patterns
from rollgraph.core.rbac.policy import ALLOW, DENY, Origin, Policy, Rule
from rollgraph.core.rbac.text import MatchMode
from rollgraph.core.verbs import Verb

# What a policy of ours can be about, and what can be done to each.
ACTIONS: dict[str, tuple[str, ...]] = {
    "rollouts": tuple(Verb),
    "clusters": ("get",),
    "audit": ("get",),
}


def problems(
    policy: Policy, mode: MatchMode, patterns: Patterns, default_role: str
) -> Iterator[str]:
    """What is wrong, a line for each."""
    for rule in policy.rules:
        for problem in problems_of(rule, mode, patterns):
            yield f"{rule.origin}: {problem}"
    for origin, problem in unknown_roles(policy, policy):
        yield f"{origin}: {problem}"
    if default_role and default_role not in _subjects(policy):
        yield f"the default role: {_unknown(default_role)}"


def problems_of(rule: Rule, mode: MatchMode, patterns: Patterns) -> Iterator[str]:
    """What is wrong with a rule of ours."""
    if not rule.subject:
        yield "expected a subject: a user, a group or a role"
    if problem := effect(rule):
        yield problem
    wrong = list(broken(rule, patterns))
    yield from wrong or _words(rule, mode, patterns)


def unknown_roles(policy: Policy, known: Policy) -> Iterator[tuple[Origin, str]]:
    """The grants of a role to which nothing is given."""
    subjects = _subjects(known)
    for grant in policy.grants:
        if grant.role not in subjects:
            yield grant.origin, _unknown(grant.role)


def effect(rule: Rule) -> str | None:
    """What is wrong with the effect of a rule."""
    if rule.effect in {ALLOW, DENY}:
        return None
    return f"expected the effect allow or deny, in small letters; got {rule.effect!r}"


def broken(rule: Rule, patterns: Patterns) -> Iterator[str]:
    """Which patterns of a rule are none."""
    for field in ("resource", "action", "object"):
        text = getattr(rule, field)
        try:
            patterns.check(text)
        except BadPatternError as error:
            yield f"{field} {text!r}: {error}"


def matched(pattern: str, words: Iterable[str], patterns: Patterns) -> list[str]:
    """Those of some words that a good pattern matches."""
    matches = patterns.any([pattern])
    return [word for word in words if matches(word)]


def never_reached(glob: str, slashes: int, form: str) -> Iterator[str]:
    """What is wrong with a glob that matches no object with so many slashes."""
    most = most_slashes(glob)
    if most is not None and most < slashes:
        yield (
            f"object {glob!r} matches none, for each is {form}:"
            f" write {glob.rstrip('/')}{'/*' * (slashes - most)}"
        )


def _subjects(policy: Policy) -> set[str]:
    return {rule.subject for rule in policy.rules} | {grant.member for grant in policy.grants}


def _unknown(role: str) -> str:
    return f"role {role!r} is not known: expected a role that a p or g line gives something"


def _words(rule: Rule, mode: MatchMode, patterns: Patterns) -> Iterator[str]:
    resources = matched(rule.resource, ACTIONS, patterns)
    if not resources:
        expected = ", ".join(ACTIONS)
        yield f"resource {rule.resource!r}: expected one of {expected}, or a pattern of it"
        return
    actions = dict.fromkeys(action for name in resources for action in ACTIONS[name])
    if not matched(rule.action, actions, patterns):
        expected = ", ".join(actions)
        yield f"action {rule.action!r}: expected one of {expected}, or a pattern of it"
    if resources == ["rollouts"] and mode is MatchMode.GLOB:
        yield from never_reached(rule.object, 2, "cluster/namespace/name")
