"""What Argo CD has on the hub, kept up: clusters, settings, policies, projects, applications."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import anyio

from rollgraph.adapters.kubernetes.argocd.collection import Collection, Open, Query, words
from rollgraph.core.argocd import objects
from rollgraph.core.argocd.objects import ConfigMap, Project, TrackedApplication
from rollgraph.core.errors import (
    ConfigError,
    ForbiddenError,
    NotInstalledError,
    RollgraphError,
)
from rollgraph.core.refs import ObjectKey

SETTINGS = "argocd-cm"
RBAC = "argocd-rbac-cm"
# All namespaces, where Argo CD takes applications from any.
EVERY_NAMESPACE = "*"

_CLUSTERS = {"labelSelector": "argocd.argoproj.io/secret-type=cluster"}


class Hub:
    """Argo CD's namespace.

    Nothing is known before `load`, and nothing changes without `run`. While the hub is away all
    that was known stays known.

    Args:
        open: Opens the hub's API server.
        namespace: Argo CD's.
        applications: Further namespaces with applications; `*` for all.
        rng: Chance for waits.

    Attributes:
        changes: Grows with each change of whatever is known.
    """

    def __init__(
        self,
        open: Open,
        namespace: str,
        *,
        applications: Sequence[str] = (),
        rng: Random | None = None,
    ) -> None:
        self.namespace = namespace
        self.changes = 0
        self._changed = anyio.Event()
        self._loaded = False
        rng = rng if rng is not None else Random()

        def made(query: Query, read: Callable[[Any], Any]) -> Collection[Any]:
            return Collection(query, read, open, self._tell, rng)

        core = f"api/v1/namespaces/{namespace}"
        maps = f"{core}/configmaps"
        self.secrets = made(Query("Secret", f"{core}/secrets", _CLUSTERS), objects.read_secret)
        self._settings = made(Query("ConfigMap", maps, _named(SETTINGS)), objects.read_config_map)
        self._rbac = made(Query("ConfigMap", maps, _named(RBAC)), objects.read_config_map)
        self._projects = made(
            Query("AppProject", f"{_of_argo(namespace)}/appprojects"), objects.read_project
        )
        self._applications = [
            made(Query("Application", f"{path}/applications"), objects.read_application)
            for path in _application_paths(namespace, applications)
        ]

    async def load(self) -> None:
        """Reads everything, unless that was done.

        Raises `ConfigError` if it cannot be read, with what to do.
        """
        if self._loaded:
            return
        for collection in self._all():
            try:
                await collection.load()
            except ConfigError:  # of the way there, and says so
                raise
            except RollgraphError as error:
                raise ConfigError(
                    f"{collection.query.kind}s of Argo CD, {collection.query.path}:"
                    f" {_advice(error, self.namespace)}"
                ) from error
        self._loaded = True

    async def run(self) -> None:
        """Keeps everything up until cancelled."""
        async with anyio.create_task_group() as tasks:
            for collection in self._all():
                tasks.start_soon(collection.run)

    async def until(self, true: Callable[[], bool]) -> None:
        """Returns once a condition on what is known holds; it is looked at after each change."""
        while not true():
            await self._changed.wait()

    @property
    def settings(self) -> ConfigMap | None:
        """argocd-cm; None if there is none."""
        return next(iter(self._settings.items.values()), None)

    @property
    def rbac(self) -> ConfigMap | None:
        """argocd-rbac-cm; None if there is none."""
        return next(iter(self._rbac.items.values()), None)

    @property
    def projects(self) -> Mapping[str, Project]:
        """All AppProjects, by name."""
        return {project.name: project for project in self._projects.items.values()}

    def application(self, key: ObjectKey) -> TrackedApplication | None:
        """An Application of Argo CD's namespace, or of one of those that were named."""
        found = (part.items.get(key) for part in self._applications)
        return next((item for item in found if item is not None), None)

    def revisions(self, *, of: str) -> tuple[int, ...]:
        """Differs from an earlier one if something has changed.

        Args:
            of: What is of interest: "clusters"; "policies"; "ownership", or "owners" for the same
                without the applications.
        """
        return tuple(collection.revision for collection in self._interesting(of))

    @property
    def problems(self) -> Sequence[str]:
        """What is not kept up at present, and why; for a person."""
        return [
            f"{collection.query.kind}: {collection.problem}"
            for collection in self._all()
            if collection.problem
        ]

    @property
    def behind(self) -> Sequence[str]:
        """The kinds that are not kept up at present."""
        late = (collection.query.kind for collection in self._all() if collection.problem)
        return list(dict.fromkeys(late))

    def _interesting(self, of: str) -> list[Collection[Any]]:
        return {
            "clusters": [self.secrets, self._settings],
            "policies": [self._rbac, self._projects],
            "owners": [self.secrets, self._settings, self._projects],
            "ownership": [self.secrets, self._settings, self._projects, *self._applications],
        }[of]

    def _all(self) -> Iterator[Collection[Any]]:
        yield from (self.secrets, self._settings, self._rbac, self._projects)
        yield from self._applications

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = anyio.Event()


def _named(name: str) -> dict[str, str]:
    # So that a Role need not allow more than this one by name.
    return {"fieldSelector": f"metadata.name={name}"}


def _of_argo(namespace: str) -> str:
    base = "apis/argoproj.io/v1alpha1"
    return f"{base}/namespaces/{namespace}" if namespace else base


def _application_paths(namespace: str, more: Sequence[str]) -> list[str]:
    if EVERY_NAMESPACE in more:
        return [_of_argo("")]
    return [_of_argo(one) for one in dict.fromkeys([namespace, *more])]


def _advice(error: RollgraphError, namespace: str) -> str:
    match error:
        case ForbiddenError():
            return f"{error}; docs/argocd.md has the Role that Rollgraph needs there"
        case NotInstalledError():
            return f"expected Argo CD, installed with its CRDs, in namespace {namespace!r}"
        case _:
            return words(error)
