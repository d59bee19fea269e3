"""The permissions that an Argo CD has for its people, kept up with it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog
import yaml

from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.core.argocd.policies import DEFAULT_SCOPES, policy_text
from rollgraph.core.rbac.text import PolicyText

_log = structlog.get_logger(__name__)


class ArgoCdPolicies:
    """A `PolicySource` on argocd-rbac-cm and the roles of AppProjects.

    While the hub is away the last policy stays.

    Args:
        hub: Argo CD's namespace; somebody else runs it.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[PolicyText]]:
        """The policy now and after each change; see `ports.PolicySource`."""
        await self._hub.load()
        async with aclosing(self._changes()) as changes:
            yield changes

    async def _changes(self) -> AsyncGenerator[PolicyText]:
        seen: object = None
        before: PolicyText | None = None
        while True:
            await self._hub.until(lambda: self._revisions() != seen)  # noqa: B023 - asked at once
            seen = self._revisions()
            now = policy_text(self._hub.rbac, self._hub.projects.values(), scopes(self._hub))
            if now != before:
                before = now
                yield now

    def _revisions(self) -> tuple[int, ...]:
        return self._hub.revisions(of="policies")


def scopes(hub: Hub) -> tuple[str, ...]:
    """The claims with groups that argocd-rbac-cm names; what is no list of names counts for none.

    Argo CD takes a list only, as its documentation has it: `scopes: '[groups, email]'`.
    """
    text = hub.rbac.data.get("scopes", "") if hub.rbac is not None else ""
    if not text:
        return DEFAULT_SCOPES
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if isinstance(found, list) and found and all(isinstance(one, str) for one in found):
        return tuple(found)
    _log.warning(
        "argocd_scopes_unreadable",
        error="argocd-rbac-cm: scopes: expected a list of claims, such as '[groups, email]'",
        taken=list(DEFAULT_SCOPES),
    )
    return DEFAULT_SCOPES
