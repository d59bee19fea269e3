"""What settings say of an Argo CD, and what it says of logins."""

from pathlib import Path
from typing import Any

import pytest

from rollgraph.core.argocd.logins import Login
from rollgraph.core.errors import ConfigError
from rollgraph.server import clusters, people
from rollgraph.server.auth import agreements
from rollgraph.server.auth.adoption import with_logins
from rollgraph.server.settings import ArgoCd, Auth, AuthMode, Oidc, Policy, Settings, Spokes

OIDC = Auth(mode=AuthMode.OIDC)
TRUSTED = Login(
    "https://idp.example.com",
    ("argo", "argo-cli"),
    "argo-cli",
    root_ca="-----BEGIN",
    username_claim="federated_claims.user_id",
    groups_claims=("groups", "email"),
)


class Adopted:
    """An Argo CD that trusts somebody, or nobody."""

    def __init__(self, login: Login | None) -> None:
        self._login = login

    async def login(self) -> Login | None:
        return self._login


async def completed(settings: Settings, login: Login | None = TRUSTED) -> Settings:
    adopted: Any = Adopted(login)
    return await with_logins(settings, adopted)


def test_without_a_namespace_there_is_none() -> None:
    assert clusters.argocd(Settings(), {}) is None


@pytest.mark.parametrize(
    "given", [ArgoCd(context="hub"), ArgoCd(application_namespaces=("team-a",))]
)
def test_settings_of_an_argocd_want_its_namespace(given: ArgoCd) -> None:
    with pytest.raises(ConfigError, match=r"^argocd\.namespace \(--argocd-namespace\): expected"):
        clusters.argocd(Settings(argocd=given), {})


def test_contexts_cannot_be_chosen_beside_an_argocd() -> None:
    settings = Settings(argocd=ArgoCd(namespace="argocd"), spokes=Spokes(contexts=("prod",)))
    with pytest.raises(ConfigError, match=r"^spokes\.contexts \(--context\): expected none"):
        clusters.argocd(settings, {})


async def test_outside_of_a_pod_the_context_has_to_be_named() -> None:
    settings = Settings(argocd=ArgoCd(namespace="argocd"))
    with pytest.raises(ConfigError, match=r"^argocd\.namespace .* does not run in a pod"):
        await clusters.find(settings, {})


def test_where_people_log_in_argocds_policy_decides_unless_there_is_one_of_our_own() -> None:
    settings = Settings(argocd=ArgoCd(namespace="argocd"), auth=OIDC)
    adopted = clusters.argocd(settings, {})
    assert adopted is not None
    assert people.access(Settings(), adopted) is None
    for policy, source in ((Policy(), True), (Policy(files=(Path("policy.csv"),)), False)):
        access = people.access(settings.model_copy(update={"policy": policy}), adopted)
        assert access is not None
        assert (access._source is adopted.policies) is source


async def test_whom_argocd_trusts_vouches_for_people() -> None:
    found = await completed(Settings(auth=OIDC, oidc=Oidc(client_id="rollgraph")))
    [(_, provider)] = agreements.providers(found)
    issuer = agreements.issuer(provider)
    assert issuer.url == "https://idp.example.com"
    assert issuer.audiences == ("argo", "argo-cli", "rollgraph")
    assert issuer.username_claim == "federated_claims.user_id"
    assert issuer.groups_claims == ("groups", "email")
    assert provider.cli_client_id == "argo-cli"
    assert provider.client_id == "rollgraph"
    assert provider.ca == "-----BEGIN"


async def test_who_is_named_here_goes_before_whom_argocd_trusts() -> None:
    own = Oidc(issuer="https://own.example.com", client_id="rollgraph")
    for settings in (
        Settings(),
        Settings(auth=OIDC, oidc=own),
        Settings(auth=Auth(mode=AuthMode.OIDC, issuers=(own,))),
    ):
        assert await completed(settings) == settings
    alone = Settings(auth=OIDC)
    assert await completed(alone, None) == alone
    assert await with_logins(alone, None) == alone
