"""All that is taken over from one Argo CD."""

from collections.abc import Sequence

import structlog
import yaml

from rollgraph.adapters.kubernetes.argocd.hub import SETTINGS, Hub
from rollgraph.adapters.kubernetes.argocd.ownership import ArgoCdOwnership
from rollgraph.adapters.kubernetes.argocd.policies import ArgoCdPolicies, scopes
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.core.argocd.logins import Login, login, overridden_actions
from rollgraph.core.errors import ConfigError

_log = structlog.get_logger(__name__)


class ArgoCd:
    """An Argo CD that is there already: its clusters, its permissions, who vouches for its people.

    Args:
        hub: Argo CD's namespace.
        spokes: The clusters that it knows: a `ports.SpokeSource` on the same hub.

    Attributes:
        spokes: The same.
        policies: What it allows whom: a `ports.PolicySource`.
        ownership: Which rollouts its applications have: a `ports.Ownership`.
    """

    def __init__(self, hub: Hub, spokes: ArgoCdSource) -> None:
        self._hub = hub
        self.spokes = spokes
        self.policies = ArgoCdPolicies(hub)
        self.ownership = ArgoCdOwnership(hub)

    async def load(self) -> None:
        """Reads everything, unless that was done; raises `ConfigError` with what to do."""
        await self._hub.load()

    async def run(self) -> None:
        """Keeps everything up until cancelled."""
        for key in overridden_actions(self._hub.settings):
            _log.warning(
                "argocd_actions_overridden",
                key=f"{SETTINGS}: {key}",
                reason="its scripts are not run here: Rollgraph does what the kubectl plugin does",
            )
        await self._hub.run()

    def behind(self) -> Sequence[str]:
        """The kinds that are not kept up at present; the log says why."""
        return self._hub.behind

    async def login(self) -> Login | None:
        """Who vouches for people, as of the start; None if only Argo CD itself does.

        Raises `ConfigError` if that cannot be read or makes no sense.
        """
        await self._hub.load()
        settings = self._hub.settings
        text = settings.data.get("oidc.config", "") if settings is not None else ""
        try:
            oidc = yaml.safe_load(text) if text.strip() else None
        except yaml.YAMLError:
            raise ConfigError(f"{SETTINGS}: oidc.config: expected YAML") from None
        if oidc is not None and not isinstance(oidc, dict):
            raise ConfigError(f"{SETTINGS}: oidc.config: expected issuer and clientID")
        try:
            return login(settings, oidc, scopes(self._hub))
        except ConfigError as error:
            raise ConfigError(f"{SETTINGS}: {error}") from None
