"""Who vouches for people at an Argo CD: its identity provider, or the Dex that it brings along."""

from collections.abc import Mapping
from typing import Any

import msgspec

from rollgraph.core.argocd.objects import ConfigMap
from rollgraph.core.errors import ConfigError

# Dex's clients as Argo CD registers them: its pages, and its command line.
DEX_CLIENTS = ("argo-cd", "argo-cd-cli")
DEX_PATH = "/api/dex"
# What Argo CD asks for where nobody says otherwise, and what makes Dex tell DEX_USER.
SCOPES = ("openid", "profile", "email", "groups")
DEX_SCOPE = "federated:id"
# Whom a token of Dex is of: `sub` is an opaque number there.
DEX_USER = "federated_claims.user_id"


class Login(msgspec.Struct, frozen=True):
    """An issuer of tokens that Argo CD accepts.

    Attributes:
        audiences: The clients for whom a token may have been made.
        cli_client: The client that a command line logs in with; "" for none. That of Argo CD's
            pages is of no use: it comes back to Argo CD.
        scopes: What to ask for at a login.
        root_ca: Whom to trust for the issuer's TLS beside the system's authorities, PEM.
        username_claim: Where the user's name stands, as policies have it.
        groups_claims: Where the groups stand.
    """

    issuer: str
    audiences: tuple[str, ...]
    cli_client: str = ""
    scopes: tuple[str, ...] = SCOPES
    root_ca: str = ""
    username_claim: str = "sub"
    groups_claims: tuple[str, ...] = ("groups",)


class _OidcConfig(msgspec.Struct, frozen=True):
    issuer: str = ""
    client_id: str = msgspec.field(default="", name="clientID")
    cli_client_id: str = msgspec.field(default="", name="cliClientID")
    requested_scopes: list[str] = msgspec.field(default_factory=list, name="requestedScopes")
    allowed_audiences: list[str] = msgspec.field(default_factory=list, name="allowedAudiences")
    root_ca: str = msgspec.field(default="", name="rootCA")


def login(
    settings: ConfigMap | None,
    oidc: Mapping[str, Any] | None,
    groups_claims: tuple[str, ...] = ("groups",),
) -> Login | None:
    """Who vouches for people; None if nobody but Argo CD itself does, whose word does not count.

    Args:
        settings: argocd-cm.
        oidc: What it has under `oidc.config`, read as YAML.
        groups_claims: What argocd-rbac-cm has under `scopes`.

    Raises `ConfigError` for what makes no sense.
    """
    data = settings.data if settings is not None else {}
    if oidc is not None:
        return _provider(oidc, groups_claims)
    url = data.get("url", "").rstrip("/")
    if not data.get("dex.config") or not url:
        return None
    return Login(
        f"{url}{DEX_PATH}",
        DEX_CLIENTS,
        DEX_CLIENTS[1],
        (*SCOPES, DEX_SCOPE),
        username_claim=DEX_USER,
        groups_claims=groups_claims,
    )


def _provider(oidc: Mapping[str, Any], groups_claims: tuple[str, ...]) -> Login:
    try:
        config = msgspec.convert(oidc, _OidcConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"oidc.config: {error}") from None
    if not config.issuer or not config.client_id:
        raise ConfigError("oidc.config: expected issuer and clientID")
    for key, value in (("issuer", config.issuer), ("clientID", config.client_id)):
        if value.startswith("$"):
            raise ConfigError(
                f"oidc.config: {key}: it refers to a key of a Secret, which is not read: set the"
                " issuer in Rollgraph's own settings"
            )
    clients = [config.client_id, *filter(None, [config.cli_client_id])]
    return Login(
        config.issuer,
        tuple(config.allowed_audiences or clients),
        config.cli_client_id,
        tuple(config.requested_scopes) or SCOPES,
        config.root_ca,
        groups_claims=groups_claims,
    )


def overridden_actions(settings: ConfigMap | None) -> list[str]:
    """Keys of argocd-cm that give Rollouts other actions than Argo CD's own.

    What such an action does is a script of theirs; Rollgraph does what the kubectl plugin does.
    """
    data = settings.data if settings is not None else {}
    return sorted(key for key in data if key in _ACTIONS or _within(key, data[key]))


_ACTIONS = (
    "resource.customizations.actions.argoproj.io_Rollout",
    "resource.customizations.actions.argoproj.io_AnalysisRun",
)


def _within(key: str, value: str) -> bool:
    """The older form has all customizations under one key, those of health too."""
    return (
        key == "resource.customizations" and "argoproj.io/Rollout" in value and "actions" in value
    )
