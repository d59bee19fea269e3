"""`ports.Enforcer` by casbin, with the model of Argo CD.

casbin looks at every rule for every question: 4 ms for a policy of 1,000 rules. So it is not asked
while Rollgraph serves; `core.rbac.rulebook` is, and tests hold that to this.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import casbin
from casbin.rbac.default_role_manager import RoleManager

from rollgraph.core.rbac.builtin import builtin
from rollgraph.core.rbac.patterns import BadPatternError, Patterns
from rollgraph.core.rbac.policy import Policy, parse
from rollgraph.core.rbac.roles import MAX_LINKS
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyText

MODEL = """
[request_definition]
r = sub, res, act, obj

[policy_definition]
p = sub, res, act, obj, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = g(r.sub, p.sub) && matches(r.res, p.res) && matches(r.act, p.act) && matches(r.obj, p.obj)
"""

# Between the names of a subject that stands for several; no name can have it.
AND = "\0"

# The resource whose questions are for the policy of a project, too.
_APPLICATIONS = "applications"


class CasbinEnforcer:
    """What casbin decides about a policy.

    Args:
        text: The policy; raises `PolicyError` if it cannot be read.
        patterns: How its patterns are read.
    """

    def __init__(self, text: PolicyText, patterns: Patterns) -> None:
        self._text = text
        self._matches = _matching(patterns, text.match_mode)
        given = builtin(text.dialect, text.match_mode) if text.builtin else ()
        self._policy = parse((*given, *text.documents), text.dialect)
        self._casbins: dict[str, casbin.Enforcer] = {}

    def allows(self, subjects: Sequence[str], resource: str, action: str, object: str) -> bool:
        """Whether casbin allows that to a user with these names (their own first, then groups)."""
        project = object.partition("/")[0] if resource == _APPLICATIONS and "/" in object else ""
        policy = self._policy_of(project)
        if not policy.rules:
            return False  # casbin lets an empty rule stand for none, which allows what is empty
        judge = self._casbin(project, policy)
        return any(
            _says(judge, name, resource, action, object) for name in self._heard(subjects, policy)
        )

    def _heard(self, subjects: Sequence[str], policy: Policy) -> Iterable[str]:
        """Whom casbin is asked for, one after the other."""
        default = [self._text.default_role] if self._text.default_role else []
        if self._text.dialect is Dialect.ROLLGRAPH:
            return [AND.join([*subjects, *default])]
        granted = {grant.member for grant in policy.grants}
        return [*default, *subjects[:1], *(name for name in subjects[1:] if name in granted)]

    def _policy_of(self, project: str) -> Policy:
        document = self._text.projects.get(project)
        if document is None:
            return self._policy
        return self._policy + parse([document], self._text.dialect)

    def _casbin(self, project: str, policy: Policy) -> casbin.Enforcer:
        if project not in self._text.projects:
            project = ""
        if project not in self._casbins:
            self._casbins[project] = _casbin(policy, self._matches)
        return self._casbins[project]


class _Names(RoleManager):  # type: ignore[misc] # casbin has no types
    """casbin's roles, for a subject that stands for several names at once."""

    def has_link(self, name1: str, name2: str, *domain: str) -> bool:
        return any(super(_Names, self).has_link(name, name2, *domain) for name in name1.split(AND))


def _casbin(policy: Policy, matches: Callable[[str, str], bool]) -> casbin.Enforcer:
    judge = casbin.Enforcer(casbin.Enforcer.new_model(text=MODEL))
    judge.add_function("matches", matches)
    # It counts names, and we links between them.
    judge.set_role_manager(_Names(MAX_LINKS + 1))
    for rule in policy.rules:
        judge.add_policy(rule.subject, rule.resource, rule.action, rule.object, rule.effect)
    for grant in policy.grants:
        judge.add_grouping_policy(grant.member, grant.role)
    return judge


def _says(judge: casbin.Enforcer, *question: str) -> bool:
    try:
        return bool(judge.enforce(*question))
    except BadPatternError:
        return False  # as in Argo CD, where a broken regular expression makes casbin fail


def _matching(patterns: Patterns, mode: MatchMode) -> Callable[[str, str], bool]:
    @lru_cache(maxsize=10_000)  # as many as Argo CD keeps
    def matcher(pattern: str) -> Callable[[str], bool]:
        try:
            return patterns.any([pattern])
        except BadPatternError:
            if mode is MatchMode.GLOB:
                return lambda _: False
            raise

    return lambda text, pattern: matcher(pattern)(text)
