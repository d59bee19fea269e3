"""Who vouches for people at an Argo CD."""

from typing import Any

import pytest

from rollgraph.core.argocd.logins import Login, login, overridden_actions
from rollgraph.core.argocd.objects import ConfigMap
from rollgraph.core.errors import ConfigError


def settings(**data: str) -> ConfigMap:
    named = {key.replace("__", "."): text for key, text in data.items()}
    return ConfigMap("argocd-cm", {"url": "https://argo.example.com/"} | named)


def test_the_provider_that_argocd_trusts() -> None:
    oidc = {
        "name": "Okta",
        "issuer": "https://idp.example.com",
        "clientID": "argo",
        "clientSecret": "$oidc.okta.clientSecret",
        "cliClientID": "argo-cli",
        "requestedScopes": ["openid", "groups"],
        "rootCA": "-----BEGIN",
    }
    assert login(settings(), oidc, ("groups", "email")) == Login(
        "https://idp.example.com",
        ("argo", "argo-cli"),
        "argo-cli",
        ("openid", "groups"),
        "-----BEGIN",
        groups_claims=("groups", "email"),
    )


def test_allowed_audiences_are_all_that_is_allowed() -> None:
    oidc = {"issuer": "https://i", "clientID": "argo", "allowedAudiences": ["api"]}
    found = login(settings(), oidc)
    assert found is not None
    assert found.audiences == ("api",)
    assert found.scopes == ("openid", "profile", "email", "groups")


def test_dex_is_behind_argocds_own_address() -> None:
    found = login(settings(dex__config="connectors: []"), None)
    assert found is not None
    assert found.issuer == "https://argo.example.com/api/dex"
    assert found.audiences == ("argo-cd", "argo-cd-cli")
    assert found.username_claim == "federated_claims.user_id"
    assert "federated:id" in found.scopes


def test_argocds_own_accounts_are_nobodys_word() -> None:
    assert login(settings(), None) is None
    assert login(None, None) is None
    assert login(ConfigMap("argocd-cm", {"dex.config": "connectors: []"}), None) is None


@pytest.mark.parametrize(
    ("oidc", "message"),
    [
        ({}, "expected issuer and clientID"),
        ({"issuer": "https://i"}, "expected issuer and clientID"),
        ({"issuer": 5, "clientID": "s3cret"}, r"Expected `str`, got `int` - at `\$.issuer`"),
        ({"issuer": "$dex.issuer", "clientID": "a"}, "issuer: it refers to a key of a Secret"),
        ({"issuer": "https://i", "clientID": "$id"}, "clientID: it refers to a key of a Secret"),
    ],
)
def test_what_makes_no_sense_is_said(oidc: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        login(settings(), oidc)
    assert "s3cret" not in str(caught.value)


def test_scripts_in_place_of_argocds_actions_are_noticed() -> None:
    assert overridden_actions(settings()) == []
    mine = ConfigMap(
        "argocd-cm",
        {
            "resource.customizations.actions.argoproj.io_Rollout": "discovery.lua: |",
            "resource.customizations.actions.apps_Deployment": "discovery.lua: |",
            "resource.customizations": "argoproj.io/Rollout:\n  actions: |",
        },
    )
    assert overridden_actions(mine) == [
        "resource.customizations",
        "resource.customizations.actions.argoproj.io_Rollout",
    ]
