"""Which of Argo CD's applications a rollout belongs to, as the hub says now."""

from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import hub_registrations
from rollgraph.core.application import Application
from rollgraph.core.argocd.ownership import Owners
from rollgraph.core.argocd.tracking import tracking
from rollgraph.core.objects.meta import Meta
from rollgraph.core.view import RolloutView

# Answers that are kept, some 20 MiB with what they are about; then all are forgotten. On a busy
# machine an answer took 6 us to find and 0.7 to remember, and a page may ask for each of 10,000
# rollouts.
MOST_KEPT = 20_000


class ArgoCdOwnership:
    """A `ports.Ownership` on the applications that Argo CD manages.

    Args:
        hub: Argo CD's namespace; somebody else loads and runs it.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen = -1
        self._version = 0
        self._made_of: object = None
        # By the identity of a rollout's metadata, which never change and are held here so that no
        # other object gets the same.
        self._kept: dict[int, tuple[Meta, Application | None]] = {}
        self._owners = self._made()

    @property
    def version(self) -> int:
        """Grows whenever an answer may have changed, though the rollouts have not."""
        self._catch_up()
        return self._version

    def application(self, view: RolloutView) -> Application | None:
        """The application that a rollout truly belongs to; None if it belongs to none."""
        self._catch_up()
        meta = view.rollout.metadata
        kept = self._kept.get(id(meta))
        if kept is not None:
            return kept[1]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        found = self._owners.application(view.ref.cluster, meta)
        self._kept[id(meta)] = meta, found
        return found

    def _catch_up(self) -> None:
        """Applications are looked up as they are; what else counts changes seldom."""
        if self._hub.changes == self._seen:
            return
        self._seen = self._hub.changes
        self._kept.clear()
        self._version = sum(self._hub.revisions(of="ownership"))
        made_of = self._hub.revisions(of="owners")
        if made_of != self._made_of:
            self._made_of = made_of
            self._owners = self._made()

    def _made(self) -> Owners:
        return Owners(
            self._hub.namespace,
            self._hub.application,
            self._hub.projects,
            hub_registrations(self._hub),
            tracking(self._hub.settings),
        )
