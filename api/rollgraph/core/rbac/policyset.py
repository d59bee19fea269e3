"""A policy that has been read: one rulebook, and in Argo CD's dialect one more for each project."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from rollgraph.core.errors import PolicyError
from rollgraph.core.permission import Permission
from rollgraph.core.rbac import checking
from rollgraph.core.rbac.builtin import builtin
from rollgraph.core.rbac.kept import Kept
from rollgraph.core.rbac.patterns import BadPatternError, Matches, Patterns
from rollgraph.core.rbac.policy import ALLOW, Policy, Rule, parse
from rollgraph.core.rbac.rulebook import APPLICATIONS, Rulebook
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText

# In a whole policy, its braces multiplied out: 30,000 lines without any. Whoever may write the
# roles of one project must not be able to fill our memory; 100,000 take some 50 MB.
MAX_PATTERNS = 100_000


class PolicySet:
    """What a `PolicyText` means: a `ports.Enforcer`.

    Args:
        text: What is to be read. Raises `PolicyError` if it is wrong, with a line for each problem.
        patterns: How the patterns of its match mode are read.

    Attributes:
        rulebook: What holds everywhere.
        warnings: A line for each thing that was read and yet does nothing, as in Argo CD.
    """

    def __init__(self, text: PolicyText, patterns: Patterns) -> None:
        self.text = text
        self.warnings: list[str] = []
        self._patterns = patterns
        self._kept = Kept()
        self._room = MAX_PATTERNS
        given = builtin(text.dialect, text.match_mode) if text.builtin else ()
        policy = self._sound(parse((*given, *text.documents), text.dialect))
        self.rulebook = self._rulebook(policy)
        self._projects = dict(self._read(text.projects))
        self._rulebooks: dict[str, Rulebook] = {}
        everything = (policy, *self._projects.values())
        self._members = frozenset(grant.member for one in everything for grant in one.grants)
        self._known = self._members | {rule.subject for one in everything for rule in one.rules}

    @property
    def projects(self) -> Iterable[str]:
        """The projects that have a policy of their own."""
        return self._projects.keys()

    def spoken_of(self, names: Sequence[str]) -> Hashable:
        """What is left of a user's names (their own first): equal for users of equal rights."""
        if self.text.dialect is Dialect.ROLLGRAPH:
            return self._known.intersection(names)
        user = [name for name in names[:1] if name in self._known]
        return (*user, frozenset(names[1:]) & self._members)

    def within(self, project: str) -> Rulebook:
        """The rulebook for the applications of a project: what holds everywhere, and its own."""
        own = self._projects.get(project)
        if own is None:
            return self.rulebook
        if project not in self._rulebooks:
            self._rulebooks[project] = self._rulebook(self.rulebook.policy + own)
        return self._rulebooks[project]

    def of(self, resource: str, object: str) -> Rulebook:
        """The rulebook that a question is for."""
        project, slash, _ = object.partition("/")
        return self.within(project) if slash and resource == APPLICATIONS else self.rulebook

    def allows(self, subjects: Sequence[str], resource: str, action: str, object: str) -> bool:
        """Whether a user with these names (their own first, then groups) may do that."""
        book = self.of(resource, object)
        return book.allows(book.hearing(subjects), resource, action, object)

    def matches(self, pattern: str) -> Matches:
        """What a good pattern matches."""
        return self._patterns.any([pattern])

    def said_of(self, names: Sequence[str]) -> Iterator[Permission]:
        """The lines that speak of a user, each once; those of projects last."""
        everywhere = frozenset(self.rulebook.heard(names))
        yield from (_permission(rule) for rule in self.rulebook.heard(names))
        for project in self._projects:
            for rule in self.within(project).heard(names):
                if rule not in everywhere:
                    yield _permission(rule, project)

    def _read(self, projects: Mapping[str, PolicyDocument]) -> Iterator[tuple[str, Policy]]:
        """A project whose policy is wrong has none of its own, as in Argo CD."""
        for name, document in projects.items():
            try:
                yield name, self._sound(parse([document], self.text.dialect))
            except PolicyError as error:
                self.warnings += str(error).splitlines()

    def _rulebook(self, policy: Policy) -> Rulebook:
        text = self.text
        return Rulebook(policy, self._patterns, text.dialect, text.default_role, self._kept)

    def _sound(self, policy: Policy) -> Policy:
        self._weigh(policy)
        if self.text.dialect is Dialect.ROLLGRAPH:
            text = self.text
            found = list(
                checking.problems(policy, text.match_mode, self._patterns, text.default_role)
            )
            if found:
                raise PolicyError("\n".join(found))
        else:
            kept = [rule for rule in policy.rules if not self._is_broken(rule)]
            policy = Policy(tuple(kept), policy.grants)
        return policy

    def _weigh(self, policy: Policy) -> None:
        """Refuses what would take more memory than it is worth: braces multiply."""
        for rule in policy.rules:
            with suppress(BadPatternError):  # which weighs nothing
                for pattern in (rule.resource, rule.action, rule.object):
                    self._room -= self._patterns.weight(pattern)
            if self._room < 0:
                raise PolicyError(
                    f"{rule.origin}: up to here the policy stands for more than {MAX_PATTERNS:,}"
                    " patterns, its braces multiplied out: expected fewer, or fewer braces"
                )

    def _is_broken(self, rule: Rule) -> bool:
        """Whether a rule does nothing for a broken pattern: not even where it was to forbid.

        So a broken glob is taken in Argo CD. A broken regular expression is worse there, and stays:
        whoever it is about gets no for an answer.
        """
        try:
            for pattern in (rule.resource, rule.action, rule.object):
                self._patterns.check(pattern)
        except BadPatternError as error:
            self.warnings.append(f"{rule.origin}: {error}: {rule}")
            return self.text.match_mode is MatchMode.GLOB
        return False


def _permission(rule: Rule, project: str = "") -> Permission:
    allowed = rule.effect == ALLOW
    return Permission(rule.resource, rule.action, rule.object, allowed, project)
