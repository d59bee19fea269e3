"""Which application a rollout truly belongs to."""

from collections.abc import Callable, Iterable, Mapping

from rollgraph.core.application import Application
from rollgraph.core.argocd.clusters import Registration
from rollgraph.core.argocd.objects import Destination, Project, TrackedApplication
from rollgraph.core.argocd.tracking import Tracking, application_key, claimed
from rollgraph.core.errors import BadFilterError
from rollgraph.core.globs import glob
from rollgraph.core.objects.meta import Meta
from rollgraph.core.refs import ObjectKey


class Owners:
    """Answers from memory, in the time of two look-ups.

    A rollout says itself which application it belongs to, and whoever may write it may write that.
    It is believed only if Argo CD says the same: the application exists, its destination is the
    rollout's cluster, and Argo CD lists this very rollout among what it manages there. An
    application outside Argo CD's namespace counts only if its project takes it from there, for
    whoever owns that namespace may write the application, its status included.

    Args:
        argocd: Argo CD's namespace.
        application: Finds an application by its key.
        projects: All projects, by name.
        clusters: All clusters.
        tracking: How objects are marked.
    """

    def __init__(
        self,
        argocd: str,
        application: Callable[[ObjectKey], TrackedApplication | None],
        projects: Mapping[str, Project],
        clusters: Iterable[Registration],
        tracking: Tracking,
    ) -> None:
        self._argocd = argocd
        self._find = application
        self._tracking = tracking
        known = list(clusters)
        self._by_server = {c.server: c.spoke for c in known if not c.problem}
        self._by_name = _unambiguous(known)
        self._sources = {name: _sources(project) for name, project in projects.items()}

    def application(self, cluster: str, meta: Meta) -> Application | None:
        """The application that a rollout belongs to; None if it belongs to none.

        Args:
            cluster: The name of its spoke.
            meta: The rollout's metadata.
        """
        claim = claimed(meta, self._tracking)
        if not claim:
            return None
        key = application_key(claim, self._argocd)
        application = self._find(key)
        if application is None or f"{meta.namespace}/{meta.name}" not in application.rollouts:
            return None
        if self._spoke(application.destination) != cluster or not self._taken_in(application):
            return None
        elsewhere = "" if key.namespace == self._argocd else key.namespace
        return Application(application.project, key.name, elsewhere)

    def _spoke(self, destination: Destination) -> str | None:
        """The spoke that a destination means; the address counts if there is one."""
        if destination.server:
            return self._by_server.get(destination.server.rstrip("/"))
        return self._by_name.get(destination.name)

    def _taken_in(self, application: TrackedApplication) -> bool:
        namespace = application.key.namespace
        if application.project not in self._sources:
            return False
        sources = self._sources[application.project]
        return namespace == self._argocd or any(matches(namespace) for matches in sources)


def _unambiguous(clusters: list[Registration]) -> dict[str, str]:
    """Spokes by Argo CD's names; one that two clusters have means neither, as for Argo CD."""
    times: dict[str, int] = {}
    for cluster in clusters:
        times[cluster.name] = times.get(cluster.name, 0) + 1
    return {
        cluster.name: cluster.spoke
        for cluster in clusters
        if cluster.name and times[cluster.name] == 1 and not cluster.problem
    }


def _sources(project: Project) -> list[Callable[[str], bool]]:
    found = (_pattern(text) for text in project.source_namespaces)
    return [matches for matches in found if matches is not None]


def _pattern(text: str) -> Callable[[str], bool] | None:
    """A glob; None, which matches nothing, for what is none.

    Argo CD also takes regular expressions between slashes, which could hang this process.
    """
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return None
    try:
        return glob(text)
    except BadFilterError:
        return None
