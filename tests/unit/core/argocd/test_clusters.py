"""What Argo CD's cluster Secrets say, and what is said of those that make no sense."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollgraph.core.argocd.clusters import Registration, registrations
from rollgraph.core.argocd.objects import ClusterSecret, read_secret

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def secret(name: str, /, *, age: int = 0, skipped: bool = False, **content: Any) -> ClusterSecret:
    """A Secret; the older, the greater its age in days."""
    config = content.pop("config", None)
    if config is not None:
        content["config"] = config if isinstance(config, str) else json.dumps(config)
    data = {key: text.encode() for key, text in content.items()}
    return ClusterSecret(name, DAY - timedelta(days=age), {"env": "prod"}, skipped, data)


def known(*secrets: ClusterSecret, in_cluster: bool = False) -> dict[str, Registration]:
    return {one.spoke: one for one in registrations(secrets, in_cluster=in_cluster)}


def test_a_secret_is_a_cluster() -> None:
    config = {"bearerToken": "t", "tlsClientConfig": {"insecure": True, "serverName": "api"}}
    given = secret(
        "w", name="west", server="https://west:6443/", namespaces=" shop, ,bank", config=config
    )
    west = known(given)["west"]
    assert (west.server, west.name, west.problem) == ("https://west:6443", "west", "")
    assert west.namespaces == ("shop", "bank")
    assert west.labels == {"env": "prod"}
    assert west.config.bearer_token == "t"
    assert west.config.tls_client_config.insecure
    assert west.config.tls_client_config.server_name == "api"


@pytest.mark.parametrize(
    ("name", "server", "spoke"),
    [
        ("", "https://10.0.0.1:6443", "10.0.0.1:6443"),
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443", "10.0.0.1:6443"),
        ("", "https://rancher/k8s/clusters/c-1/", "rancher:k8s:clusters:c-1"),
        ("", "https://user:s3cret@host", "host"),
        ("arn:aws:eks:eu-1:1:cluster/prod", "https://x", "arn:aws:eks:eu-1:1:cluster:prod"),
        ("", "", "w"),
        ("", "https://[::", "w"),
    ],
)
def test_every_cluster_has_a_name_without_a_slash(name: str, server: str, spoke: str) -> None:
    assert list(known(secret("w", name=name, server=server))) == [spoke]


def test_the_hub_is_a_cluster_without_a_secret() -> None:
    assert list(known(in_cluster=True)) == ["in-cluster"]
    assert known(in_cluster=False) == {}


def test_a_secret_may_rename_the_hub_or_leave_it_out() -> None:
    server = "https://kubernetes.default.svc"
    assert list(known(secret("h", name="home", server=server), in_cluster=True)) == ["home"]
    assert known(secret("h", name="home", server=server)) == {}
    left_out = secret("h", name="home", server=server, skipped=True)
    assert known(left_out, in_cluster=True) == {}


def test_a_skipped_cluster_is_none_of_ours_and_takes_nobodys_place() -> None:
    old = secret("old", age=2, name="west", server="https://west", skipped=True)
    new = secret("new", name="west", server="https://west")
    found = known(old, new)
    assert list(found) == ["west"]
    assert found["west"].secret == "new"
    assert found["west"].problem == ""


def test_of_two_secrets_for_a_server_the_older_counts() -> None:
    found = known(
        secret("b", name="second", server="https://west/"),
        secret("a", age=1, name="first", server="https://west"),
    )
    assert found["first"].problem == ""
    assert found["second"].problem == (
        "server: Secret a, which is older, is for the same one: delete one of the two"
    )


def test_a_query_tells_two_secrets_of_a_server_apart() -> None:
    found = known(
        secret("a", name="shop", server="https://west?team=shop"),
        secret("b", name="bank", server="https://west?team=bank"),
    )
    assert [one.problem for one in found.values()] == ["", ""]


def test_a_name_stays_with_whoever_had_it() -> None:
    found = known(
        secret("thief", name="prod", server="https://elsewhere"),
        secret("owner", age=1, name="prod", server="https://prod"),
        secret("in", name="in-cluster", server="https://third"),
        in_cluster=True,
    )
    assert found["prod"].secret == "owner"
    assert found["prod"].problem == ""
    assert found["prod.thief"].problem.startswith("name: Secret owner, which is older, has the")
    assert found["in-cluster"].secret == "in"
    assert found["in-cluster.hub"].problem.startswith("name: Secret in, which is older, has the")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({}, "server: expected the cluster's address"),
        ({"server": "https://w", "config": '{"bearerToken": "s3cret'}, "config: expected JSON"),
        ({"server": "https://w", "config": "s3cret"}, "config: expected JSON"),
        (
            {"server": "https://w", "config": {"bearerToken": ["s3cret"]}},
            "config: Expected `str`, got `array` - at `$.bearerToken`",
        ),
        (
            {"server": "https://w", "config": {"tlsClientConfig": {"caData": "s3cret!"}}},
            "config: Invalid base64 encoded string - at `$.tlsClientConfig.caData`",
        ),
    ],
)
def test_a_broken_secret_is_shown_with_a_sentence_and_without_its_content(
    content: dict[str, Any], problem: str
) -> None:
    found = known(secret("w", name="west", **content), secret("e", name="e", server="https://e"))
    assert found["west"].problem == problem
    assert found["e"].problem == ""


def test_no_text_has_a_secret_in_it() -> None:
    broken = secret("w", name="west", server="https://w", config={"bearerToken": "s3cret"})
    assert "s3cret" not in repr(broken)
    assert "s3cret" not in repr(registrations([broken]))


def test_only_the_labels_of_people_are_kept() -> None:
    manifest = {
        "metadata": {
            "name": "w",
            "labels": {"argocd.argoproj.io/secret-type": "cluster", "region": "eu"},
            "annotations": {"argocd.argoproj.io/skip-reconcile": "true"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "data": {"name": base64.b64encode(b"west").decode()},
    }
    read = read_secret(json.dumps(manifest).encode())
    assert read == ClusterSecret("w", DAY, {"region": "eu"}, True, {"name": b"west"})
