"""What callers may see and do."""

from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rollgraph.core.application import Application
from rollgraph.core.decision import Decision
from rollgraph.core.permission import Permission
from rollgraph.core.rbac.text import PolicyText
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer


class Enforcer(Protocol):
    """A policy: which tuples of subject, resource, action and object it allows.

    Answers from memory, at once, and always the same. Denies whatever it is not told to allow.
    """

    def allows(self, subjects: Sequence[str], resource: str, action: str, object: str) -> bool:
        """Whether a user with these names (their own first, then groups) may do that."""


class PolicySource(Protocol):
    """Where the policy comes from."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[PolicyText]]:
        """The policy now, then the whole policy again whenever the source changed.

        The first item comes at once; a source that cannot be read at the start raises
        `ConfigError`. Later trouble does so, too, or it is logged: either way the reader keeps what
        it has and watches anew. Whether the policy makes sense is for the reader to tell.
        """


class Ownership(Protocol):
    """Which of Argo CD's applications own which rollouts. Answers from memory, at once."""

    @property
    def version(self) -> int:
        """Grows whenever an answer may have changed."""

    def application(self, view: RolloutView) -> Application | None:
        """The application that truly owns a rollout.

        None where there is none, and where one is only said to by what can be written on the spoke:
        whoever may write there must not be able to choose whose policies hold.
        """


class Rights(Protocol):
    """What one viewer may see and do, under one version of the policy.

    Answers from memory, at once: it may be asked for each of 10,000 rollouts of a request.
    """

    @property
    def viewer(self) -> Viewer:
        """Whose they are."""

    @property
    def key(self) -> Hashable:
        """Equal for two viewers only if they see the same and their tokens have the same scopes, so
        that answers may be shared.
        """

    @property
    def sees_all(self) -> bool:
        """True if every rollout is seen, so that nobody need ask for each."""

    def sees(self, view: RolloutView) -> bool:
        """Whether a rollout, and all that belongs to it, is shown."""

    def sees_cluster(self, cluster: str) -> bool:
        """Whether a cluster is shown although none of its rollouts may be."""

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        """Whether an action is allowed, by scopes and by policy; the spoke is not asked.

        `view` is the rollout, if it exists. A refusal says the same whether it exists or not.
        """

    def may_use(self, scope: Scope) -> Decision:
        """Whether the token has not been narrowed to less."""

    def is_admin(self) -> Decision:
        """Whether what concerns everybody is shown, such as the audit."""

    def permissions(
        self, cluster: str | None = None, namespace: str | None = None
    ) -> Sequence[Permission]:
        """What the policy says of the viewer; scopes may narrow it further.

        With a cluster or a namespace, what certainly does not concern rollouts there is left out.
        """


class Authority(Protocol):
    """Says what viewers may see and do, by the policy of the moment."""

    @property
    def stamp(self) -> Hashable:
        """Another one whenever somebody's rights may be others. Cheap: asked for each event."""

    def rights(self, viewer: Viewer) -> Rights:
        """What a viewer may see and do now; what was given stays as it is, whatever changes."""
