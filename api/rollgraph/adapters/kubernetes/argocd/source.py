"""The spokes that Argo CD's cluster Secrets describe, kept up with them."""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec
import structlog

from rollgraph.adapters.kubernetes.argocd.access import (
    FindEntry,
    HubOpening,
    Refusing,
    in_cluster_user,
    secret_entry,
)
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.opening import Opening
from rollgraph.core.argocd.clusters import Registration, registrations
from rollgraph.ports import Spoke

_log = structlog.get_logger(__name__)


class ArgoCdSource:
    """A `SpokeSource` on the clusters that Argo CD knows.

    A Secret that makes no sense is a spoke that is shown as misconfigured; the others go on. While
    the hub is away the last answer stays.

    Args:
        hub: Argo CD's namespace; somebody else runs it.
        hub_entry: Finds the way to the hub, which is itself one of the clusters.
        exec_allow: The credential plugins that may be run, as bare names or absolute paths.
        namespaces: The namespaces to watch where a Secret does not say; empty means all.
    """

    def __init__(
        self,
        hub: Hub,
        hub_entry: FindEntry,
        *,
        exec_allow: Collection[str] = (),
        namespaces: Sequence[str] = (),
    ) -> None:
        self._hub = hub
        self._hub_entry = hub_entry
        self._exec_allow = frozenset(exec_allow)
        self._namespaces = tuple(namespaces)
        # As of the fingerprints of kubeconfigs: compared in this process only.
        self._key = os.urandom(32)
        self._told: set[str] = set()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """All spokes now and after each change; see `ports.SpokeSource`."""
        await self._hub.load()
        async with aclosing(self._changes()) as changes:
            yield changes

    async def _changes(self) -> AsyncGenerator[Sequence[Spoke]]:
        seen: object = None
        before: object = None
        while True:
            await self._hub.until(lambda: self._revisions() != seen)  # noqa: B023 - asked at once
            seen = self._revisions()
            known = hub_registrations(self._hub)
            self._tell(known)
            spokes = [self._spoke(one) for one in known]
            now = [(s.name, s.fingerprint, s.namespaces, s.labels) for s in spokes]
            if now != before:
                before = now
                yield spokes

    def _revisions(self) -> tuple[int, ...]:
        return self._hub.revisions(of="clusters")

    def _tell(self, known: Sequence[Registration]) -> None:
        """Logs each problem once."""
        problems = {self._complaint(one) for one in known if one.problem}
        for problem in sorted(problems - self._told):
            _log.warning("argocd_cluster_misconfigured", error=problem)
        self._told = problems

    def _spoke(self, known: Registration) -> Spoke:
        opening = self._opening(known)
        return Spoke(
            name=known.spoke,
            fingerprint=self._fingerprint(known),
            open=opening,
            namespaces=known.namespaces or self._namespaces,
            labels=known.labels,
            open_patcher=opening.patcher,
        )

    def _opening(self, known: Registration) -> HubOpening | Opening | Refusing:
        if known.problem:
            return Refusing(self._complaint(known))
        if known.in_cluster:
            user = in_cluster_user(known.config)
            return HubOpening(self._hub_entry, self._exec_allow, user)
        return Opening(secret_entry(known, self._place(known)), self._exec_allow)

    def _complaint(self, known: Registration) -> str:
        return f"{self._place(known)}: {known.problem}"

    def _place(self, known: Registration) -> str:
        if not known.secret:
            return f"the cluster of Argo CD itself ({known.server})"
        return f"Secret {self._hub.namespace}/{known.secret}"

    def _fingerprint(self, known: Registration) -> str:
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        digest.update(msgspec.json.encode([known.server, known.config, known.problem]))
        return digest.hexdigest()


def hub_registrations(hub: Hub) -> list[Registration]:
    """All clusters that Argo CD knows now."""
    settings = hub.settings
    disabled = settings is not None and settings.data.get("cluster.inClusterEnabled") == "false"
    return registrations(hub.secrets.items.values(), in_cluster=not disabled)
