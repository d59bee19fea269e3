"""Settings of who callers are, and what they may do."""

from enum import StrEnum
from typing import Annotated

import yaml
from pydantic import BeforeValidator

from rollgraph.core.claims import Profile
from rollgraph.core.identity import IdentityMode
from rollgraph.core.rbac.text import MatchMode
from rollgraph.server.settings.forms import File, Files, Group, Names, setting


class AuthMode(StrEnum):
    """Who may ask."""

    NONE = "none"
    OIDC = "oidc"


class Acting(Group):
    """As whom actions are carried out on clusters; [identity](../identity.md) tells the rest."""

    identity: IdentityMode = setting(
        IdentityMode.IMPERSONATE,
        "As whom an action is carried out on a cluster. `impersonate`: with Rollgraph's own "
        "credentials in the caller's name, so that the cluster's RBAC and audit know who it was; "
        "where the cluster does not allow that, as `serviceAccount`, with a warning. "
        "`serviceAccount`: with its own credentials; only Rollgraph's policy and audit know "
        "who it was. `passthrough`: with the caller's own token, where clusters trust the same "
        "issuer. A context's extension may say otherwise for its cluster.",
        flag="--identity",
        value="MODE",
    )
    user_prefix: str = setting(
        "",
        "Stands before the name of each user who is impersonated, such as `oidc:` where clusters "
        "know their people so. Names that begin with `system:` then are never impersonated.",
        flag="--impersonate-user-prefix",
        value="PREFIX",
    )
    group_prefix: str = setting(
        "",
        "Stands before the name of each group of whoever is impersonated. Groups that begin with "
        "`system:` then are left out.",
        flag="--impersonate-group-prefix",
        value="PREFIX",
    )


class Oidc(Group):
    """The OpenID Connect provider that vouches for callers; [login](../login.md) tells how."""

    issuer: str = setting(
        "",
        "The provider's issuer URL, to the letter as its tokens have it in `iss`. It must be "
        "HTTPS, except on loopback.",
        flag="--oidc-issuer",
        value="URL",
    )
    profile: Profile = setting(
        Profile.GENERIC,
        "Which tokens are accepted. `oidc-generic`: ID tokens and JWT access tokens as most "
        "providers make them. `rfc9068`: only access tokens with that standard's type and claims.",
        flag="--oidc-profile",
        value="PROFILE",
    )
    audiences: Names = setting(
        (),
        "Whom a token must be meant for (`aud`): one of these. Without any, the client ids below; "
        "`rfc9068` needs one, for its tokens are meant for an API and not for a client.",
        flag="--oidc-audience",
        value="AUDIENCE",
    )
    required_claims: Names = setting(
        (),
        "Claims that a token must have besides, as `claim=value`, such as `hd=example.com`.",
        flag="--oidc-required-claim",
        value="CLAIM=VALUE",
    )
    username_claim: str = setting(
        "sub",
        "The claim that is the user's name in policies and in the audit. `sub` never changes and "
        "is never given to another; `email` is only taken if the provider has verified it.",
        flag="--oidc-username-claim",
        value="CLAIM",
        min_length=1,
    )
    username_prefix: str = setting(
        "",
        "What is put before the user's name, such as `oidc:`. Two issuers need two prefixes.",
        flag="--oidc-username-prefix",
        value="PREFIX",
    )
    groups_claims: Names = setting(
        ("groups",),
        "The claims that have the user's groups, each as a list or as one text. Dots lead into "
        "objects: `realm_access.roles`.",
        flag="--oidc-groups-claim",
        value="CLAIM",
    )
    groups_prefix: str = setting(
        "",
        "What is put before each group's name.",
        flag="--oidc-groups-prefix",
        value="PREFIX",
    )
    scopes_claim: str = setting(
        "scope",
        "The claim that has the token's scopes; `scp` at Entra ID and Okta. See "
        "[scopes](../login.md#scopes).",
        flag="--oidc-scopes-claim",
        value="CLAIM",
        min_length=1,
    )
    client_id: str = setting(
        "",
        "The client as which people log in with a browser; without it, none can. Its redirect URI "
        "is `/auth/callback` of `http.url`, where it comes back after a logout is `/graphql`.",
        flag="--oidc-client-id",
        value="ID",
    )
    client_secret_file: File | None = setting(
        None,
        "A file that has the secret of that client, read at the start. Without it the client is a "
        "public one: PKCE alone protects its codes.",
        flag="--oidc-client-secret-file",
        value="FILE",
    )
    cli_client_id: str = setting(
        "",
        "The public client as which the command line logs in, by the device flow.",
        flag="--oidc-cli-client-id",
        value="ID",
    )
    scopes: Names = setting(
        ("openid", "profile", "email"),
        "What a login asks the provider for. Many have groups under a scope of their own, and a "
        "login that lasts (a refresh token) under `offline_access`.",
        flag="--oidc-scope",
        value="SCOPE",
    )
    resource: str = setting(
        "",
        "The resource indicator (RFC 8707) that a login asks an access token for, where the "
        "provider wants one to make a JWT.",
        flag="--oidc-resource",
        value="URI",
    )
    ca_file: File | None = setting(
        None,
        "Certificates, in PEM, of authorities that the provider's may be signed by, besides the "
        "system's.",
        flag="--oidc-ca-file",
        value="FILE",
    )
    ca: str = setting(
        "",
        "Such certificates as text, where a file is not at hand.",
        flag="--oidc-ca",
        value="PEM",
    )


def _issuers(value: object) -> object:
    """Reads issuers that are written as YAML (or JSON) in flags or a variable."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, dict):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(_parsed(item) if isinstance(item, str) else item for item in value)
    return value


def _parsed(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError("a mapping in YAML or JSON") from error


class Auth(Group):
    """Who may ask."""

    mode: AuthMode = setting(
        AuthMode.NONE,
        "How callers log in. `none`: not at all, so Rollgraph listens on loopback only and refuses "
        "what a page of another site makes a browser send. `oidc`: with an OpenID Connect provider "
        "(see [oidc](#oidc)) or as a Kubernetes service account.",
        flag="--auth",
        value="MODE",
    )
    issuers: Annotated[tuple[Oidc, ...], BeforeValidator(_issuers)] = setting(
        (),
        "More providers, each with the keys of [oidc](#oidc): a list of mappings in the file; in a "
        "flag one mapping, in the variable the list, as YAML or JSON.",
        flag="--issuer",
        value="MAPPING",
    )
    session_idle: float = setting(
        3600.0,
        "Seconds without a question after which a browser's login ends.",
        flag="--session-idle",
        value="SECONDS",
        ge=60,
        le=7 * 24 * 3600,
    )
    session_lifetime: float = setting(
        12 * 3600.0,
        "Seconds after which a browser's login ends in any case: a working day. It ends earlier "
        "when the provider's token does and cannot be renewed.",
        flag="--session-lifetime",
        value="SECONDS",
        ge=60,
        le=30 * 24 * 3600,
    )
    session_secret_file: File | None = setting(
        None,
        "A file with the key that seals browsers' logins where they are kept on Redis, the same "
        "for all gateways: `openssl rand -base64 32` makes one. One a line; the first one seals, "
        "each is tried to unseal. See [browsers](../login.md#browsers).",
        flag="--session-secret-file",
        value="FILE",
    )
    service_accounts: str = setting(
        "",
        "The cluster whose Kubernetes service accounts may ask, with tokens that its API server "
        "reviews: a spoke's name. None by default.",
        flag="--service-accounts",
        value="CLUSTER",
    )
    service_account_audiences: Names = setting(
        ("rollgraph",),
        "Whom a service account's token must be meant for: one of these. Tokens for the API server "
        "itself are not taken, for whoever has one here could use it there.",
        flag="--service-account-audience",
        value="AUDIENCE",
        min_length=1,
    )


class Policy(Group):
    """Who may see and do what: [RBAC](../rbac.md) tells how that is written."""

    files: Files = setting(
        (),
        "Files of the policy, read one after the other. Without any, nobody may do anything; with "
        "`--auth none` everybody may, and no policy is read. Read again when they change; while "
        "they are broken, the last good policy holds.",
        flag="--policy",
        value="PATH",
    )
    default_role: str = setting(
        "",
        "A role that everybody has who is logged in, such as `role:readonly`. None by default: who "
        "is given nothing sees nothing.",
        flag="--policy-default-role",
        value="ROLE",
    )
    match_mode: MatchMode = setting(
        MatchMode.GLOB,
        "What the patterns of the policy are: `glob`, or `regex` for regular expressions of RE2, "
        "which match whole texts.",
        flag="--policy-match-mode",
        value="MODE",
    )
