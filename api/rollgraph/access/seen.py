"""The fleet as one viewer sees it: what they are not shown does not exist."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from rollgraph.core.connection import ClusterView
from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.paging import Page, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility
from rollgraph.ports import Mirror, Rights


class SeenFleet:
    """A mirror, narrowed to what one viewer sees. It has no way around that.

    Args:
        mirror: The fleet's model.
        rights: The viewer's. Whoever sees all of the fleet costs nothing more.
    """

    __slots__ = ("_mirror", "_rights", "_visible")

    def __init__(self, mirror: Mirror, rights: Rights) -> None:
        self._mirror = mirror
        self._rights = rights
        self._visible = None if rights.sees_all else Visibility(rights.key, rights.sees)

    def rollout(self, ref: RolloutRef) -> RolloutView | None:
        """One rollout."""
        view = self._mirror.rollout(ref)
        if view is None or self._visible is None or self._visible.shows(view):
            return view
        return None

    def page(self, request: PageRequest) -> Page:
        """One page of rollouts; see `Mirror`."""
        return self._mirror.page(request, self._visible)

    def count(self, request: PageRequest) -> int:
        """How many rollouts match; see `Mirror`."""
        return self._mirror.count(request, self._visible)

    def matching(self, filter: RolloutFilter | None) -> Iterator[RolloutView]:
        """Every rollout that matches; see `Mirror`."""
        return self._mirror.matching(filter, self._visible)

    def counts(self, cluster: str) -> Mapping[Phase, int]:
        """How many of a cluster's rollouts are in each phase."""
        return self._mirror.counts(cluster, self._visible)

    def namespaces(self, cluster: str) -> Sequence[str]:
        """The namespaces of a cluster that have rollouts, by name."""
        return self._mirror.namespaces(cluster, self._visible)

    def cluster(self, name: str) -> ClusterView | None:
        """One cluster: itself shown, or one of its rollouts."""
        return self._mirror.cluster(name) if self._shows(name) else None

    def clusters(self) -> Collection[ClusterView]:
        """Every cluster that is shown, by name."""
        return [view for view in self._mirror.clusters() if self._shows(view.name)]

    def shows_inside(self, cluster: str) -> bool:
        """Whether a cluster is shown itself, and not only because of some of its rollouts."""
        return self._rights.sees_cluster(cluster)

    def some_unread(self) -> bool:
        """Whether a cluster has not been read yet of which the policy may show something.

        Nobody can tell then whether this viewer would see a rollout there, so whatever they see may
        lack some. It is the one thing that is said of what is not shown, and it does not say which.
        """
        unread = (view.name for view in self._mirror.clusters() if not view.synced)
        return any(said.allowed for name in unread for said in self._rights.permissions(name))

    def _shows(self, name: str) -> bool:
        return self.shows_inside(name) or bool(self._mirror.counts(name, self._visible))
