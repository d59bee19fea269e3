"""Rights that a test spells out."""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace

from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.permission import Permission
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import SCOPES, Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer

ANN = Viewer("ann@example.com")


def _nothing(_: RolloutView) -> bool:
    return False


@dataclass(frozen=True)
class Some:
    """`ports.Rights` to see and do some things, and nothing else.

    Attributes:
        shown: Which rollouts are seen.
        clusters: The clusters that are seen whatever is on them.
        verbs: What may be done to any rollout.
        admin: Whether what concerns everybody is shown.
    """

    shown: Callable[[RolloutView], bool] = _nothing
    clusters: Collection[str] = ()
    verbs: Collection[Verb] = ()
    admin: bool = False
    viewer: Viewer = ANN
    sees_all: bool = False
    asked: list[tuple[Verb, RolloutRef, RolloutView | None]] = field(default_factory=list)

    @property
    def key(self) -> Hashable:
        # The function itself, not its id: another may get that once this one is gone.
        return self.shown, tuple(self.clusters), self.viewer.scopes

    def narrowed(self, *scopes: Scope) -> "Some":
        """The same with a token for these scopes only."""
        return replace(self, viewer=Viewer("ann@example.com", scopes=frozenset(scopes)))

    def sees(self, view: RolloutView) -> bool:
        return self.shown(view)

    def sees_cluster(self, cluster: str) -> bool:
        return cluster in self.clusters

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        self.asked.append((verb, ref, view))
        decision = self.may_use(SCOPES[verb])
        if decision.allowed and verb not in self.verbs:
            return Decision(Layer.CASBIN, message=f"no policy lets you {verb} {ref}")
        return decision

    def may_use(self, scope: Scope) -> Decision:
        allowed = self.viewer.scopes is None or scope in self.viewer.scopes
        return (
            ALLOWED if allowed else Decision(Layer.SCOPE, (scope.value,), "the token is narrower")
        )

    def permissions(
        self, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Permission]:
        return [Permission("rollouts", verb, "*", allowed=True) for verb in self.verbs]

    def is_admin(self) -> Decision:
        return ALLOWED if self.admin else Decision(Layer.CASBIN, message="no policy says so")
