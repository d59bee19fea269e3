"""The rights of whoever reaches a Rollgraph without a login: all."""

from collections.abc import Hashable, Sequence

from rollgraph.core.decision import ALLOWED, Decision
from rollgraph.core.permission import Permission
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import LOCAL, Viewer


class Everything:
    """`ports.Rights` without a limit.

    Args:
        viewer: Whose they are.
    """

    def __init__(self, viewer: Viewer = LOCAL) -> None:
        self.viewer = viewer

    @property
    def key(self) -> Hashable:
        """Everybody who has them sees the same."""
        return None

    @property
    def sees_all(self) -> bool:
        """Always."""
        return True

    def sees(self, view: RolloutView) -> bool:
        """Always."""
        return True

    def sees_cluster(self, cluster: str) -> bool:
        """Always."""
        return True

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        """Always."""
        return ALLOWED

    def may_use(self, scope: Scope) -> Decision:
        """Always."""
        return ALLOWED

    def is_admin(self) -> Decision:
        """Always."""
        return ALLOWED

    def permissions(
        self, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Permission]:
        """Everything."""
        return (Permission("*", "*", "*", allowed=True),)
