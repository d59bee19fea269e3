"""What a viewer may see and do, by a policy."""

from collections.abc import Callable, Hashable, Sequence
from time import perf_counter

from rollgraph.core.application import Application
from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.permission import Permission
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.predicate import Predicate
from rollgraph.core.rbac.reach import reaches
from rollgraph.core.rbac.rulebook import APPLICATIONS, ROLLOUTS
from rollgraph.core.rbac.text import Dialect, MatchMode
from rollgraph.core.rbac.tuples import ARGOCD_ACTIONS, AUDIT, CLUSTERS, question
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import SCOPES, Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Ownership, PolicyObserver

# In a policy these begin the names of roles, not of people. A login by such a name would be a way
# to have a role that nobody has granted.
RESERVED = ("role:", "proj:")


class PolicyRights:
    """`ports.Rights` by a policy, as it was when they were made.

    Args:
        viewer: Whose they are.
        policies: What is said.
        version: Of the policy.
        ownership: Who owns which rollout, where Argo CD's policies are used.
        observer: Hears what it costs to decide.
    """

    def __init__(
        self,
        viewer: Viewer,
        policies: PolicySet,
        version: int,
        ownership: Ownership | None = None,
        observer: PolicyObserver | None = None,
    ) -> None:
        self.viewer = viewer
        self._observer = observer
        self._policies = policies
        self._ownership = ownership if policies.text.dialect is Dialect.ARGOCD else None
        named = viewer.subject, *viewer.groups
        # The first is the user, also if that is a name which nobody can have.
        self._names = tuple("" if name.startswith(RESERVED) else name for name in named)
        owned = self._ownership.version if self._ownership is not None else 0
        self._key = version, owned, policies.spoken_of(self._names), viewer.scopes
        self._found: dict[tuple[str, str, str], Predicate] = {}
        self._reads: Callable[[str], bool] = self._can(ROLLOUTS, Verb.GET).allows

    @property
    def key(self) -> Hashable:
        """Equal for viewers whom the same policy gives the same, and whose tokens are alike."""
        return self._key

    @property
    def sees_all(self) -> bool:
        """True if no rollout can be hidden, whoever owns it."""
        if not self._can(ROLLOUTS, Verb.GET).total:
            return False
        if self._ownership is None:
            return True
        get = ARGOCD_ACTIONS[Verb.GET]
        projects = ("", *self._policies.projects)
        return all(self._can(APPLICATIONS, get, project).total for project in projects)

    def sees(self, view: RolloutView) -> bool:
        """Whether it may be read."""
        if self._ownership is not None:
            owner = self._ownership.application(view)
            if owner is not None:
                get = ARGOCD_ACTIONS[Verb.GET]
                return self._can(APPLICATIONS, get, owner.project).allows(str(owner))
        return self._reads(str(view.ref))

    def sees_cluster(self, cluster: str) -> bool:
        """Whether the cluster itself may be read."""
        return self._can(CLUSTERS, "get").allows(cluster)

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        """Whether the token's scopes and the policy allow an action."""
        narrowed = self.may_use(SCOPES[verb])
        if not narrowed.allowed:
            return narrowed
        asked = question(verb, ref, self._owner(view))
        project = asked.object.partition("/")[0] if asked.resource == APPLICATIONS else ""
        if self._can(asked.resource, asked.action, project).allows(asked.object):
            return ALLOWED
        return Decision(Layer.CASBIN, message=f"no policy allows you to {verb} {ref}")

    def may_use(self, scope: Scope) -> Decision:
        """Whether the token has a scope, or was not narrowed to any."""
        scopes = self.viewer.scopes
        if scopes is None or scope in scopes:
            return ALLOWED
        return Decision(
            Layer.SCOPE, (scope.value,), message=f"your token is narrowed, and lacks {scope.value}"
        )

    def is_admin(self) -> Decision:
        """Whether the audit may be read."""
        if self._can(AUDIT, "get").allows("*"):
            return ALLOWED
        return Decision(Layer.CASBIN, message="no policy allows you to get the audit")

    def permissions(
        self, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Permission]:
        """The lines of the policy that speak of the viewer, and may concern what is asked for.

        Of a regular expression nobody can tell what it may concern.
        """
        said = self._policies.said_of(self._names)
        if (cluster is None and namespace is None) or self._is_by_regex:
            return tuple(said)
        return tuple(each for each in said if self._concerns(each, cluster, namespace))

    @property
    def _is_by_regex(self) -> bool:
        return self._policies.text.match_mode is MatchMode.REGEX

    def _concerns(self, said: Permission, cluster: str | None, namespace: str | None) -> bool:
        """Whether a line may be about rollouts of a place, or about its cluster."""
        about = self._policies.matches(said.resource)
        if about(APPLICATIONS):
            return True  # an application's rollouts may be anywhere
        if about(ROLLOUTS) and reaches(said.object, cluster, namespace):
            return True
        return about(CLUSTERS) and (cluster is None or self._policies.matches(said.object)(cluster))

    def _owner(self, view: RolloutView | None) -> Application | None:
        if self._ownership is None or view is None:
            return None
        return self._ownership.application(view)

    def _can(self, resource: str, action: str, project: str = "") -> Predicate:
        key = resource, action, project
        found = self._found.get(key)
        if found is None:
            begun = perf_counter()
            book = self._policies.within(project) if project else self._policies.rulebook
            found = book.predicate(book.hearing(self._names), resource, action)
            self._found[key] = found
            if self._observer is not None:
                self._observer.decided(perf_counter() - begun)
        return found
