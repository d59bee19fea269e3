"""What is probably not meant in a policy that can be read."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rollgraph.core.rbac import checking
from rollgraph.core.rbac.covering import covers
from rollgraph.core.rbac.patterns import BadPatternError, Patterns
from rollgraph.core.rbac.policy import ALLOW, DENY, Grant, Origin, Policy, Rule
from rollgraph.core.rbac.text import Dialect, MatchMode
from rollgraph.core.rbac.tuples import ARGOCD_ACTIONS

# What policies of Argo CD speak of, and we besides.
ARGOCD_RESOURCES = (
    "applications", "applicationsets", "clusters", "projects", "repositories",
    "write-repositories", "certificates", "accounts", "gpgkeys", "logs", "exec", "extensions",
    "rollouts", "audit",
)  # fmt: skip
# Those whose objects are `project/name`.
_IN_PROJECTS = ("applications", "applicationsets", "logs", "exec")
_OF_APPLICATIONS = ("get", "create", "update", "delete", "sync", "override", "rollback")
_BELOW = ("action/", "update/", "delete/")
_ROLLOUT = "action/argoproj.io/Rollout/"


class Finding(msgspec.Struct, frozen=True, order=True):
    """A line and what is wrong with it.

    Attributes:
        message: What, and what to write instead.
    """

    document: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.message}"


def lint(
    policy: Policy, dialect: Dialect, mode: MatchMode, patterns: Patterns, known: Policy
) -> Sequence[Finding]:
    """What is odd about a policy, by line.

    Args:
        policy: What was written.
        known: That, and what is built in: roles that may be granted.
    """
    found = list(_unknown_roles(policy.grants, known))
    for rule in policy.rules:
        found += [_finding(rule.origin, text) for text in _odd(rule, dialect, mode, patterns)]
    if mode is MatchMode.GLOB:
        found += _shadowed(policy.rules, patterns)
    return sorted(dict.fromkeys(found))


def _finding(origin: Origin, message: str) -> Finding:
    return Finding(origin.document, origin.line, message)


def _unknown_roles(grants: Iterable[Grant], known: Policy) -> Iterator[Finding]:
    for origin, text in checking.unknown_roles(Policy(known.rules, tuple(grants)), known):
        yield _finding(origin, text)


def _odd(rule: Rule, dialect: Dialect, mode: MatchMode, patterns: Patterns) -> Iterator[str]:
    if dialect is Dialect.ROLLGRAPH:
        yield from checking.problems_of(rule, mode, patterns)
    else:
        yield from _odd_in_argocd(rule, mode, patterns)
    yield from _torn(rule)


def _odd_in_argocd(rule: Rule, mode: MatchMode, patterns: Patterns) -> Iterator[str]:
    if effect := checking.effect(rule):
        yield f"{effect}; the line does nothing"
    broken = list(checking.broken(rule, patterns))
    outcome = "the line matches nothing"
    if mode is MatchMode.REGEX:
        outcome = f"Argo CD says no to {rule.subject!r} wherever it comes to that"
    yield from (f"{problem}; {outcome}" for problem in broken)
    if broken:
        return
    if mode is MatchMode.REGEX:
        yield from _unanchored(rule)
    resources = checking.matched(rule.resource, ARGOCD_RESOURCES, patterns)
    if not resources:
        yield f"resource {rule.resource!r}: Argo CD has no such resource"
    elif all(name in _IN_PROJECTS for name in resources):
        if mode is MatchMode.GLOB:
            yield from checking.never_reached(rule.object, 1, "project/application")
        if resources == ["applications"]:
            yield from _unknown_action(rule, patterns)


def _unknown_action(rule: Rule, patterns: Patterns) -> Iterator[str]:
    """An action on applications that nobody asks for."""
    action, ours = rule.action, dict.fromkeys(ARGOCD_ACTIONS.values())
    if checking.matched(action, (*_OF_APPLICATIONS, *ours), patterns):
        return
    if action.startswith(_ROLLOUT):
        names = ", ".join(name.removeprefix(_ROLLOUT) for name in ours if name.startswith(_ROLLOUT))
        yield f"action {action!r}: a Rollout has no such action; expected one of {names}"
    elif action == "action":
        yield "action 'action' is no action: write action/* for all of them"
    elif not action.startswith(_BELOW):
        expected = ", ".join((*_OF_APPLICATIONS, "action/<group>/<kind>/<name>"))
        yield f"action {action!r}: expected one of {expected}"


def _unanchored(rule: Rule) -> Iterator[str]:
    loose = [
        f"{field} {regex!r}"
        for field in ("resource", "action", "object")
        if (regex := getattr(rule, field)) not in {".*", ""}
        and not (regex.startswith("^") and regex.endswith("$"))
    ]
    if loose:
        yield (
            f"{', '.join(loose)}: matches any text that has it somewhere, so that shop/app matches"
            " myshop/app-2: write ^ before and $ after it for the whole text"
        )


def _torn(rule: Rule) -> Iterator[str]:
    """Braces with a comma, without the quotes that would have kept them together."""
    for field in ("resource", "action", "object"):
        text = getattr(rule, field).replace("\\{", "").replace("\\}", "")
        if text.count("{") != text.count("}"):
            yield f"{field} {text!r}: a brace without the other; quote a field that has commas"


def _shadowed(rules: Sequence[Rule], patterns: Patterns) -> Iterator[Finding]:
    """Rules that change nothing, because of another one for the same subject."""
    good = [rule for rule in rules if rule.effect in {ALLOW, DENY} and _is_good(rule, patterns)]
    by_subject: dict[str, list[Rule]] = {}
    for rule in good:
        by_subject.setdefault(rule.subject, []).append(rule)
    for rule in good:
        for other in by_subject[rule.subject]:
            if other is not rule and (said := _shadow(rule, other)):
                yield _finding(rule.origin, said)
                break


def _shadow(rule: Rule, other: Rule) -> str | None:
    overrules = other.effect == DENY or rule.effect == ALLOW
    if not overrules or not _covers(other, rule):
        return None
    if rule.effect != other.effect:
        return f"allows nothing: {other.origin} denies all of it"
    if _covers(rule, other) and _place(other) > _place(rule):
        return None  # the second of two equal ones is the one too many
    return f"changes nothing: {other.origin} says as much"


def _place(rule: Rule) -> tuple[str, int]:
    return rule.origin.document, rule.origin.line


def _covers(wide: Rule, narrow: Rule) -> bool:
    return all(
        covers(getattr(wide, field), getattr(narrow, field))
        for field in ("resource", "action", "object")
    )


def _is_good(rule: Rule, patterns: Patterns) -> bool:
    try:
        for pattern in (rule.resource, rule.action, rule.object):
            patterns.check(pattern)
    except BadPatternError:
        return False
    return True
