"""Which of Argo CD's applications a rollout belongs to, as the hub says now."""

from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import hub_registrations
from rollgraph.core.application import Application
from rollgraph.core.argocd.ownership import Owners
from rollgraph.core.argocd.tracking import tracking
from rollgraph.core.view import RolloutView


class ArgoCdOwnership:
    """A `ports.Ownership` on the applications that Argo CD manages.

    Args:
        hub: Argo CD's namespace; somebody else loads and runs it.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen: object = None
        self._owners: Owners | None = None

    @property
    def version(self) -> int:
        """Grows whenever an answer may have changed, though the rollouts have not."""
        return sum(self._hub.revisions(of="ownership"))

    def application(self, view: RolloutView) -> Application | None:
        """The application that a rollout truly belongs to; None if it belongs to none."""
        return self._current().application(view.ref.cluster, view.rollout.metadata)

    def _current(self) -> Owners:
        """Applications are looked up as they are; what else counts changes seldom."""
        now = self._hub.revisions(of="owners")
        if self._owners is None or now != self._seen:
            self._seen = now
            self._owners = Owners(
                self._hub.namespace,
                self._hub.application,
                self._hub.projects,
                hub_registrations(self._hub),
                tracking(self._hub.settings),
            )
        return self._owners
