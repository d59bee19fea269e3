"""Whom Argo CD trusts for its people, as settings of our own."""

from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.server.settings import AuthMode, Settings


async def with_logins(settings: Settings, argocd: ArgoCd | None) -> Settings:
    """The settings, with whom Argo CD trusts for its people where they name nobody.

    Raises `ConfigError` if Argo CD's word makes no sense.
    """
    named = settings.oidc.issuer or settings.auth.issuers
    if argocd is None or settings.auth.mode is AuthMode.NONE or named:
        return settings
    found, ours = await argocd.login(), settings.oidc
    if found is None:
        return settings
    audiences = (*found.audiences, ours.client_id, ours.cli_client_id)
    told = {
        "issuer": found.issuer,
        "audiences": ours.audiences or tuple(filter(None, dict.fromkeys(audiences))),
        "username_claim": found.username_claim,
        "groups_claims": found.groups_claims,
        "cli_client_id": ours.cli_client_id or found.cli_client,
        "scopes": found.scopes,
        "ca": ours.ca or found.root_ca,
    }
    return settings.model_copy(update={"oidc": ours.model_copy(update=told)})
