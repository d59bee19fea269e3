"""A pod asks Rollgraph with its service account's token, which a real API server reviews."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.ports import free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

WHO = "{ viewer { subject groups login issuer scopes } }"


@pytest.fixture(scope="module")
def guarded(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`rollgraph serve` that takes service accounts of `east`, and nobody else."""
    flags = ("--auth", "oidc", "--service-accounts", "east")
    role = ("--policy-default-role", "role:readonly", "--log-level", "debug")
    folder = tmp_path_factory.mktemp("guarded")
    with Gateway(fleet.kubeconfig, folder, (*flags, *role)) as running:
        yield running


def ask(gateway: Gateway, token: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.post(f"{gateway.url}/graphql", json={"query": WHO}, headers=headers, timeout=30)


def told(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["viewer"]


def test_a_token_for_rollgraph_is_known_and_others_are_not(fleet: Fleet, guarded: Gateway) -> None:
    east, west = fleet["east"], fleet["west"]
    east.namespace("robots")
    token = east.service_account_token("deployer", "robots", audiences=["rollgraph"])
    assert told(ask(guarded, token)) == {
        "subject": "system:serviceaccount:robots:deployer",
        "groups": [
            "system:serviceaccounts",
            "system:serviceaccounts:robots",
            "system:authenticated",
        ],
        "login": "SERVICE_ACCOUNT",
        "issuer": "kubernetes:east",
        "scopes": None,
    }
    west.namespace("robots")
    header, payload, _ = token.split(".")
    for bad, reason in (
        (east.service_account_token("deployer", "robots"), "not meant for Rollgraph"),
        (west.service_account_token("deployer", "robots", audiences=["rollgraph"]), "not know"),
        (f"{header}.{payload}.{'A' * 342}", "not know"),
        ("a.b.c", "no JWT"),
    ):
        answer = ask(guarded, bad)
        assert answer.status_code == 401
        assert reason in answer.text
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert payload not in answer.text
    assert httpx2.post(f"{guarded.url}/graphql", json={"query": WHO}).status_code == 401


def test_an_account_that_is_deleted_is_soon_unknown(fleet: Fleet, guarded: Gateway) -> None:
    east = fleet["east"]
    east.namespace("robots")
    token = east.service_account_token("leaver", "robots", audiences=["rollgraph"])
    assert ask(guarded, token).status_code == 200
    east.cluster().request("DELETE", "/api/v1/namespaces/robots/serviceaccounts/leaver")

    def still_known() -> str | None:
        status = ask(guarded, token).status_code
        return None if status == 401 else f"HTTP {status}"

    # Its answer holds for 30 s, and the API server's own for 10 s more.
    wait_until(still_known, seconds=60, what="the account is unknown")


def test_a_cluster_that_is_not_there_lets_nobody_in(fleet: Fleet, tmp_path: Path) -> None:
    token = fleet["east"].service_account_token("deployer", audiences=["rollgraph"])
    flags = ("--auth", "oidc", "--service-accounts", f"none-{free_port()}")
    with Gateway(fleet.kubeconfig, tmp_path, flags) as gateway:
        answer = ask(gateway, token)
    assert answer.status_code == 503
    assert "which is not there" in answer.text
