"""A policy that changes counts for the next request; a broken one does not, and the log says so."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from joserfc import jwt

from acceptance.gateway import Gateway
from idp.provider import AUDIENCE, Idp, running
from testbed.deadline import wait_until

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(120)]

# A port that nothing listens on: the cluster is known, and that is all.
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: dead, context: {cluster: c, user: u}}]
"""
SEES = "p, alice, clusters, get, dead, allow\n"
SEES_NOT = "p, bob, clusters, get, dead, allow\n"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    with running(tmp_path_factory.mktemp("idp")) as idp:
        yield idp


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.csv"
    path.write_text(SEES)
    return path


class Served:
    """A running Rollgraph and its people."""

    def __init__(self, gateway: Gateway, idp: Idp) -> None:
        self._url = gateway.url
        self._idp = idp

    def seen(self, name: str) -> list[str]:
        """The clusters that somebody sees."""
        now = int(time.time())
        claims = {"iss": self._idp.issuer, "aud": AUDIENCE, "iat": now, "exp": now + 600}
        key = self._idp.key
        token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims | {"sub": name}, key)
        answer = httpx2.post(
            f"{self._url}/graphql",
            json={"query": "{ clusters { nodes { name } } }"},
            headers={"Authorization": f"Bearer {token}"},
        )
        return [node["name"] for node in answer.json()["data"]["clusters"]["nodes"]]

    def broken(self) -> bool:
        """What `/readyz` says of the policy."""
        return bool(httpx2.get(f"{self._url}/readyz").json()["policyBroken"])


@pytest.fixture
def served(tmp_path: Path, idp: Idp, policy: Path) -> Iterator[Served]:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    flags = (
        *("--auth", "oidc", "--oidc-issuer", idp.issuer, "--oidc-audience", AUDIENCE),
        *("--policy", str(policy), "--log-format", "json"),
    )
    with Gateway(kubeconfig, tmp_path, flags) as gateway:
        yield Served(gateway, idp)


def problems(tmp_path: Path) -> list[str]:
    """The problems of the broken policies, as the log has them."""
    lines = map(json.loads, (tmp_path / "rollgraph.log").read_text().splitlines())
    return [line["problems"][0] for line in lines if line["event"] == "policy_broken"]


def test_a_changed_policy_is_in_force_and_a_broken_one_is_not(
    tmp_path: Path, policy: Path, served: Served
) -> None:
    seen = served.seen
    assert (seen("alice"), seen("bob"), seen("carol")) == (["dead"], [], [])
    assert not served.broken()
    policy.write_text(SEES_NOT)
    wait_until(lambda: "alice sees it" if seen("alice") else None, seconds=30, what="it counts")
    assert seen("bob") == ["dead"]

    policy.write_text(SEES + "p, alice, clusters, get\n")
    wait_until(lambda: None if served.broken() else "not yet", seconds=30, what="it is told")
    assert problems(tmp_path)[0].startswith(f"{policy}:2: expected 6 fields")
    assert (seen("alice"), seen("bob")) == ([], ["dead"])

    policy.write_text(SEES)
    wait_until(lambda: None if seen("alice") else "not yet", seconds=30, what="it is mended")
    assert seen("bob") == []
    assert not served.broken()
