"""Beside an Argo CD nothing has to be set up: its clusters come and go as its Secrets do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from acceptance.argocd import ArgoCd, by_token
from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.fleet import Fleet

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

CLUSTERS = """
{ clusters { nodes { name labels { key value } connection { status problem lastError } } } }
"""
FLAGS = ("--argocd-namespace", "argocd", "--argocd-context", "hub")
# Seconds that a change of a Secret may take to show: a watch event, and a new connection.
SOON = 15.0


@pytest.fixture(scope="module")
def argocd(fleet: Fleet) -> Iterator[ArgoCd]:
    """An Argo CD on `east` that knows `west`, trusted by its CA, and `home`, which is not."""
    made = ArgoCd(fleet["east"])
    made.install()
    made.config_map("argocd-cm", {"cluster.inClusterEnabled": "false"})
    made.config_map("argocd-rbac-cm", {})
    home(made, fleet)
    west(made, fleet)
    yield made
    for secret in ("west", "home", "broken"):
        made.delete("Secret", secret)


def west(argocd: ArgoCd, fleet: Fleet, config: Any = None, **more: Any) -> None:
    server = f"{fleet['west'].url}/"
    found = config if config is not None else by_token(fleet["west"])
    argocd.cluster("west", found, name="west", server=server, labels={"env": "prod"}, **more)


def home(argocd: ArgoCd, fleet: Fleet) -> None:
    token = fleet["east"].access("reader").token
    config = {"bearerToken": token, "tlsClientConfig": {"insecure": True}}
    argocd.cluster("home", config, name="home", server=fleet["east"].url)


@pytest.fixture(scope="module")
def beside(fleet: Fleet, argocd: ArgoCd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`rollgraph serve --argocd-namespace argocd`, with the documented Role alone."""
    folder: Path = tmp_path_factory.mktemp("argocd")
    with Gateway(argocd.kubeconfig(folder / "hub.yaml"), folder, FLAGS) as running:
        running.wait_until_synced()
        yield running


def connections(gateway: Gateway) -> dict[str, dict[str, Any]]:
    nodes = gateway.ask(CLUSTERS)["clusters"]["nodes"]
    return {node["name"]: node["connection"] for node in nodes}


def behind(gateway: Gateway) -> set[str]:
    """What of Argo CD is not kept up, as anybody may ask."""
    return set(httpx2.get(f"{gateway.url}/readyz").json()["argocdNotWatched"])


def until(gateway: Gateway, holds: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
    """Waits until the clusters are as they should be."""

    def check() -> str | None:
        found = connections(gateway)
        return None if holds(found) else str(found)

    wait_until(check, seconds=SOON, what="the clusters are as Argo CD's Secrets say")


def all_connected(*names: str) -> Callable[[dict[str, dict[str, Any]]], bool]:
    return lambda found: (
        {name: c["status"] for name, c in found.items()} == dict.fromkeys(names, "CONNECTED")
    )


def test_each_secret_is_a_cluster(beside: Gateway) -> None:
    until(beside, all_connected("home", "west"))
    nodes = beside.ask(CLUSTERS)["clusters"]["nodes"]
    assert {node["name"]: node["labels"] for node in nodes} == {
        "home": [],
        "west": [{"key": "env", "value": "prod"}],
    }


def test_a_rotated_secret_is_a_new_connection(
    beside: Gateway, argocd: ArgoCd, fleet: Fleet
) -> None:
    west(argocd, fleet, by_token(fleet["west"]) | {"bearerToken": "revoked-token-s3cret"})
    until(beside, lambda found: found["west"]["problem"] == "UNAUTHENTICATED")
    assert connections(beside)["home"]["status"] == "CONNECTED"
    west(argocd, fleet)
    until(beside, all_connected("home", "west"))


def test_a_broken_secret_says_why_and_harms_no_other(
    beside: Gateway, argocd: ArgoCd, fleet: Fleet
) -> None:
    argocd.cluster("broken", '{"bearerToken": "s3cret', name="third", server="https://127.0.0.1:1")
    until(beside, lambda found: found.get("third", {}).get("problem") == "MISCONFIGURED")
    assert connections(beside)["third"]["lastError"] == (
        "Secret argocd/broken: config: expected JSON"
    )
    argocd.cluster("broken", {}, name="third", server=fleet["west"].url)
    until(beside, lambda found: "delete one of the two" in (found["third"]["lastError"] or ""))
    argocd.delete("Secret", "broken")
    until(beside, all_connected("home", "west"))


def test_a_cluster_that_argocd_leaves_alone_or_forgets_is_gone(
    beside: Gateway, argocd: ArgoCd, fleet: Fleet
) -> None:
    west(argocd, fleet, annotations={"argocd.argoproj.io/skip-reconcile": "true"})
    until(beside, all_connected("home"))
    west(argocd, fleet)
    until(beside, all_connected("home", "west"))
    argocd.delete("Secret", "west")
    until(beside, all_connected("home"))
    west(argocd, fleet)
    until(beside, all_connected("home", "west"))


def test_the_cluster_of_argocd_itself_is_one_of_them(beside: Gateway, argocd: ArgoCd) -> None:
    argocd.config_map("argocd-cm", {})
    until(beside, all_connected("home", "in-cluster", "west"))
    argocd.config_map("argocd-cm", {"cluster.inClusterEnabled": "false"})
    until(beside, all_connected("home", "west"))


def test_a_hub_that_dies_takes_nothing_with_it(
    beside: Gateway, argocd: ArgoCd, fleet: Fleet
) -> None:
    fleet["east"].kill_apiserver()
    try:
        every = {"Secret", "ConfigMap", "AppProject", "Application"}
        wait_until(
            lambda: None if behind(beside) == every else str(behind(beside)),
            seconds=SOON,
            what="it says that the hub is away",
        )
        assert "argocd_not_watched" in beside.process.output()
        assert connections(beside)["west"]["status"] == "CONNECTED"
    finally:
        fleet["east"].start_apiserver()
    argocd.delete("Secret", "west")

    def gone() -> str | None:
        return "still there" if "west" in connections(beside) else None

    wait_until(gone, seconds=60, what="a change after the hub's return is seen")
    west(argocd, fleet)
    until(beside, all_connected("home", "west"))
    wait_until(
        lambda: str(behind(beside)) if behind(beside) else None,
        seconds=60,
        what="everything is watched again",
    )
    assert "argocd_watched_again" in beside.process.output()


def test_nothing_of_a_secret_was_logged(beside: Gateway, fleet: Fleet) -> None:
    said = beside.process.output()
    tokens = [spoke.access("reader").token for spoke in fleet.spokes.values()]
    assert [token for token in [*tokens, "s3cret"] if token in said] == []
    assert "argocd_cluster_misconfigured" in said
