"""A policy made ready to answer: the rules of each name, compiled to predicates on objects."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from rollgraph.core.rbac.kept import Kept
from rollgraph.core.rbac.patterns import BadPatternError, Matches, Patterns
from rollgraph.core.rbac.policy import ALLOW, DENY, Policy, Rule
from rollgraph.core.rbac.predicate import NOTHING, Predicate, one_of, unless
from rollgraph.core.rbac.roles import Roles
from rollgraph.core.rbac.text import Dialect

# The names of a user, in the order in which they are heard: those of a group are judged together.
Hearing: TypeAlias = tuple[tuple[str, ...], ...]

APPLICATIONS = "applications"
ROLLOUTS = "rollouts"

# What the objects of a resource have at least: `project/application`, `cluster/namespace/name`.
SLASHES = {APPLICATIONS: 1, ROLLOUTS: 2}


class Rulebook:
    """A policy's answers for users with several names.

    In Argo CD's dialect the default role is asked first, then the user, then each of their groups
    that is granted a role: the first to be allowed wins, so a deny binds one name only. In ours all
    names count together, and a deny for any of them wins.

    Args:
        policy: What is said; in a mode where a broken pattern matches nothing, without such.
        patterns: How its patterns are read.
        default_role: What everybody has; "" for nothing.
        kept: Where predicates are kept; several rulebooks may share it.
    """

    def __init__(
        self,
        policy: Policy,
        patterns: Patterns,
        dialect: Dialect = Dialect.ROLLGRAPH,
        default_role: str = "",
        kept: Kept | None = None,
    ) -> None:
        self.policy = policy
        self.dialect = dialect
        self.default_role = default_role
        self._patterns = patterns
        self._roles = Roles(policy.grants)
        self._rules: dict[str, list[Rule]] = {}
        for rule in policy.rules:
            self._rules.setdefault(rule.subject, []).append(rule)
        self._kept = Kept() if kept is None else kept
        self._compiled: dict[str, Matches] = {}

    def hearing(self, names: Sequence[str]) -> Hearing:
        """How a user with these names (their own first, then groups) is heard.

        Equal for users to whom the policy gives the same; names of which it does not speak are left
        out.
        """
        default = (self.default_role,) if self.default_role else ()
        if self.dialect is Dialect.ROLLGRAPH:
            return (tuple(sorted({name for name in (*names, *default) if self._knows(name)})),)
        user = [name for name in names[:1] if self._knows(name)]
        groups = sorted({name for name in names[1:] if name in self._roles})
        return tuple((name,) for name in dict.fromkeys((*default, *user, *groups)))

    def allows(self, hearing: Hearing, resource: str, action: str, object: str) -> bool:
        """Whether that is allowed."""
        return self.predicate(hearing, resource, action).allows(object)

    def predicate(self, hearing: Hearing, resource: str, action: str) -> Predicate:
        """Whether that is allowed, as a function of the object; kept for a while."""
        key = id(self), hearing, resource, action
        return self._kept.get(
            key, lambda: one_of([self._judged(names, resource, action) for names in hearing])
        )

    def rules(self, names: Iterable[str]) -> Iterator[Rule]:
        """The rules of names that are judged together."""
        for name in self._roles.held_by(names):
            yield from self._rules.get(name, ())

    def path(self, names: Iterable[str], subject: str) -> tuple[str, ...]:
        """From one of some names over the roles that it has to a subject; the shortest way."""
        return self._roles.path(names, subject)

    def matches(self, pattern: str, text: str) -> bool:
        """Whether one pattern matches; raises `BadPatternError` for a broken one."""
        return self._one(pattern)(text)

    def heard(self, names: Sequence[str]) -> Iterable[Rule]:
        """The rules that speak of a user with these names, each once; of no effect are left out."""
        judged = self.hearing(names)
        found = (rule for together in judged for rule in self.rules(together))
        return dict.fromkeys(rule for rule in found if rule.effect in {ALLOW, DENY})

    def _knows(self, name: str) -> bool:
        return name in self._roles or name in self._rules

    def _judged(self, names: Sequence[str], resource: str, action: str) -> Predicate:
        try:
            apt = [rule for rule in self.rules(names) if self._is_apt(rule, resource, action)]
            for rule in apt:
                self._patterns.check(rule.object)
        except BadPatternError:
            # A broken regular expression makes casbin fail, and then Argo CD says no.
            return NOTHING
        allowed, denied = _objects(apt, ALLOW), _objects(apt, DENY)
        weight = 1 + sum(map(self._patterns.weight, (*allowed, *denied)))
        if not allowed:
            return NOTHING
        if denied:
            return unless(self._patterns.any(allowed), self._patterns.any(denied), weight)
        slashes = SLASHES.get(resource, 0)
        total = any(self._patterns.everything(pattern, slashes) for pattern in allowed)
        return Predicate(self._patterns.any(allowed), total, weight)

    def _is_apt(self, rule: Rule, resource: str, action: str) -> bool:
        return self.matches(rule.resource, resource) and self.matches(rule.action, action)

    def _one(self, pattern: str) -> Matches:
        """A pattern alone. Of resources and actions there are few, and many rules share them."""
        if pattern not in self._compiled:
            self._compiled[pattern] = self._patterns.any([pattern])
        return self._compiled[pattern]


def _objects(rules: Sequence[Rule], effect: str) -> Sequence[str]:
    return tuple(dict.fromkeys(rule.object for rule in rules if rule.effect == effect))
