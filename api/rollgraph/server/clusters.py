"""Which clusters there are: those of kubeconfig files, or those that an Argo CD knows."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollgraph.adapters.kubernetes.argocd.access import HubOpening, context_entry, pod_entry
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.adapters.kubernetes.kubeconfig import Entry
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.errors import ConfigError
from rollgraph.ports import SpokeSource
from rollgraph.server.settings import Settings, Spokes


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which clusters there are.

    Attributes:
        names: Their names at the start.
        spokes: Where they come from.
        argocd: The Argo CD that is taken over; None if there is none.
    """

    names: Sequence[str]
    spokes: SpokeSource
    argocd: ArgoCd | None = None


async def find(settings: Settings, environ: Mapping[str, str]) -> Clusters:
    """The clusters, once their source could be read.

    Raises `ConfigError`, which begins with the setting, if it cannot be read.
    """
    adopted = argocd(settings, environ)
    if adopted is not None:
        where = "argocd.namespace (--argocd-namespace)"
        return Clusters(await spoke_names(adopted.spokes, where), adopted.spokes, adopted)
    spokes = source(settings.spokes, environ)
    return Clusters(await spoke_names(spokes), spokes)


def source(settings: Spokes, environ: Mapping[str, str]) -> SpokeSource:
    """Where the spokes come from."""
    return KubeconfigSource(
        settings.kubeconfig or default_kubeconfig(environ),
        contexts=settings.contexts,
        exec_allow=settings.exec_allow,
        namespaces=settings.namespaces,
    )


def argocd(settings: Settings, environ: Mapping[str, str]) -> ArgoCd | None:
    """The Argo CD that is taken over, if one is; nothing is read yet.

    Raises `ConfigError` for settings that contradict each other.
    """
    given, spokes = settings.argocd, settings.spokes
    if not given.namespace:
        if given.context or given.application_namespaces:
            raise ConfigError("argocd.namespace (--argocd-namespace): expected Argo CD's namespace")
        return None
    if spokes.contexts:
        raise ConfigError(
            "spokes.contexts (--context): expected none, for the clusters are those that Argo CD"
            " knows; the context of Argo CD's own is argocd.context (--argocd-context)"
        )
    files = spokes.kubeconfig or default_kubeconfig(environ)

    def found() -> Entry:
        return context_entry(files, given.context) if given.context else pod_entry(environ)

    opening = HubOpening(found, spokes.exec_allow)
    hub = Hub(opening, given.namespace, applications=given.application_namespaces)
    known = ArgoCdSource(hub, found, exec_allow=spokes.exec_allow, namespaces=spokes.namespaces)
    return ArgoCd(hub, known)


def default_kubeconfig(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that kubectl reads when it is given none."""
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(Path(part) for part in listed) or (Path("~/.kube/config").expanduser(),)


async def spoke_names(
    spokes: SpokeSource, setting: str = "spokes.kubeconfig (--kubeconfig)"
) -> Sequence[str]:
    """The names of the spokes that there are now.

    Raises `ConfigError`, which begins with the setting, if the source cannot be read.
    """
    try:
        async with spokes.watch() as answers:
            async for answer in answers:
                return [spoke.name for spoke in answer]
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error
    return []
