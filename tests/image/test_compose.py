"""The Compose file: Compose takes it, it opens one port on loopback, and what it starts works."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from image.compose import FILE, Outside, model
from image.dockerfile import Stage
from image.outside import NOBODY, Places
from testbed.deadline import wait_until
from testbed.ports import free_port

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(600)]

OURS = ["gateway-1", "gateway-2", "simulation", "worker-1", "worker-2"]
QUERY = """
{ rollouts(first: 100) { totalCount partial nodes { clusterName name resourceVersion } }
  clusters { nodes { name connection { status } } } }
"""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, of all profiles."""
    found: dict[str, Any] = model()["services"]
    return found


def test_compose_takes_it(services: dict[str, Any]) -> None:
    assert [name for name in services if "build" in services[name]] == OURS


def test_what_compose_does_not_know_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = yaml.safe_load(FILE.read_text("utf-8"))
    wrong["services"]["proxy"]["read_onyl"] = True
    (tmp_path / "compose.yml").write_text(yaml.safe_dump(wrong), "utf-8")
    monkeypatch.setattr("image.compose.FILE", tmp_path / "compose.yml")
    with pytest.raises(Exception, match="returned non-zero exit status"):
        model()


def test_one_port_is_published_and_on_loopback(services: dict[str, Any]) -> None:
    ports = [(name, port) for name in services for port in services[name].get("ports", [])]
    ((name, port),) = ports
    assert (name, port["host_ip"], port["published"]) == ("proxy", "127.0.0.1", "8000")


def test_no_container_reaches_those_who_ask_for_no_login(services: dict[str, Any]) -> None:
    """Gateways listen on loopback, which is the proxy's; and that on a network that is its own."""
    on = {name: list(service.get("networks", ())) for name, service in services.items()}
    assert [name for name in on if "front" in on[name]] == ["proxy"]
    assert on["proxy"] == ["front", "inside"]
    assert services["proxy"]["networks"]["front"]["aliases"] == ["public"]
    listens = services["proxy"]["environment"]["LISTEN"].split(",")
    assert listens == ["public:8000", "127.0.0.1:8000"]
    shared = {name: service.get("network_mode") for name, service in services.items()}
    assert {name for name, mode in shared.items() if mode} == {"gateway-1", "gateway-2"}
    assert set(shared.values()) == {None, "service:proxy"}
    for name in ("gateway-1", "gateway-2"):
        assert "ROLLGRAPH_HTTP__HOST" not in services[name]["environment"]
    # The network that others are on gives no way out, so that none of its addresses is published.
    networks = model()["networks"]
    assert [name for name in networks if networks[name].get("internal")] == ["inside"]


def test_containers_may_little(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if service.get("privileged"):
            # k3s is a whole machine, and only there if somebody asks for it.
            assert service["profiles"] == ["k3s"], name
            continue
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] != "0:0" or service["profiles"] == ["k3s"], name
        assert name not in OURS or service["user"] == f"{NOBODY}:{NOBODY}"


def test_no_secret_is_in_the_file(services: dict[str, Any]) -> None:
    """A secret of another kind than a file gets into no container with a read-only root."""
    assert all(secret.keys() == {"name", "file"} for secret in model()["secrets"].values())
    assert {name for name in services if services[name].get("secrets")} == {
        "redis",
        *(name for name in OURS if name != "simulation"),
    }


def test_only_what_is_asked_for_is_needed(services: dict[str, Any]) -> None:
    """Without a profile there is neither a simulation nor k3s, and what is left starts."""
    needed = services["worker-1"]["depends_on"]
    assert {name: each["required"] for name, each in needed.items()} == {
        "redis": True,
        "simulation": False,
        "argo-rollouts": False,
    }
    assert {name for name in services if "profiles" not in services[name]} == {
        "redis",
        "proxy",
        *(name for name in OURS if name != "simulation"),
    }


class Running:
    """The profile `demo`, and where its parts are here."""

    def __init__(self, outside: Outside, gateway: int, proxy: int, parts: dict[str, Any]) -> None:
        self.outside = outside
        self.second_gateway = f"http://127.0.0.1:{gateway}"
        self.proxy = f"http://127.0.0.1:{proxy}"
        self.parts = parts


@pytest.fixture(scope="module")
def demo(services: dict[str, Any], installed: Path, last_stage: Stage) -> Iterator[Running]:
    """All that `docker compose --profile demo up --wait` starts, in its order."""
    folder = installed.parent / "tmp" / "compose"
    clusters = folder / "clusters"
    clusters.mkdir(parents=True)
    clusters.chmod(0o777)
    password = folder / "redis-password"
    password.write_text("0123456789abcdef\n", "utf-8")
    redis, one, two, proxy = (free_port() for _ in range(4))
    places = Places(
        {
            "/opt/rollgraph": installed,
            "/clusters": clusters,
            "/run/secrets/redis-password": password,
            "/usr/local/etc/haproxy/haproxy.cfg": FILE.parent / "deploy/compose/haproxy.cfg",
            "bind * -::*": "bind 127.0.0.1",
            "redis:6379": f"127.0.0.1:{redis}",
            "6379": str(redis),
            "127.0.0.1:8001": f"127.0.0.1:{one}",
            "127.0.0.1:8002": f"127.0.0.1:{two}",
            "8001": str(one),
            "8002": str(two),
            "public:8000,127.0.0.1:8000": f"127.0.0.1:{proxy}",
            "127.0.0.1:8000": f"127.0.0.1:{proxy}",
            "0.0.0.0": "127.0.0.1",
            "simulation": "127.0.0.1",
            "rollgraph.simulation": "rollgraph.simulation",
        }
    )
    outside = Outside(places, installed, last_stage)
    with ExitStack() as stack:
        parts = {}
        for name in ("redis", "simulation", "worker-1", "worker-2", "gateway-1", "gateway-2"):
            # A container each: they may all listen on one port there.
            more = {"ROLLGRAPH_HTTP__PORT": str(free_port())} if "worker" in name else {}
            parts[name] = stack.enter_context(outside.run(services[name], **more))
            _wait_until_well(outside, services, name, more)
        # What its image starts.
        haproxy = {**services["proxy"], "command": ["haproxy", "-W", "-db", "-f", HAPROXY]}
        parts["proxy"] = stack.enter_context(outside.run(haproxy))
        yield Running(outside, two, proxy, parts)
    assert {name: part.returncode for name, part in parts.items() if name in OURS} == {
        "simulation": -15,
        **dict.fromkeys(("worker-1", "worker-2", "gateway-1", "gateway-2"), 0),
    }


HAPROXY = "/usr/local/etc/haproxy/haproxy.cfg"


def _wait_until_well(
    outside: Outside, services: dict[str, Any], name: str, more: dict[str, str]
) -> None:
    wait_until(
        lambda: outside.ill(services[name], **more), seconds=60, what=f"{name} passes its check"
    )


def ask(url: str) -> dict[str, Any]:
    """An answer to the query; {} if there is none."""
    try:
        answer = httpx2.post(f"{url}/graphql", json={"query": QUERY}, trust_env=False)
    except httpx2.TransportError:
        return {}
    data: dict[str, Any] = json.loads(answer.content).get("data", {})
    return data


def versions(url: str) -> dict[tuple[str, str], str]:
    """The version of each rollout, once all three clusters are there."""
    data = ask(url)
    if not data or data["rollouts"]["partial"]:
        return {}
    nodes = data["rollouts"]["nodes"]
    assert len({node["clusterName"] for node in nodes}) <= 3
    return {(node["clusterName"], node["name"]): node["resourceVersion"] for node in nodes}


def test_the_second_gateway_shows_rollouts_that_move(demo: Running) -> None:
    def missing() -> str | None:
        found = len(versions(demo.second_gateway))
        return None if found == 12 else f"{found} rollouts"

    wait_until(missing, seconds=60, what="12 rollouts of three clusters")
    first = versions(demo.second_gateway)

    def still() -> str | None:
        now = versions(demo.second_gateway)
        return None if now and now != first else "nothing has moved"

    wait_until(still, seconds=60, what="a rollout moves")


def test_the_proxy_leads_to_a_gateway_also_when_one_has_gone(demo: Running) -> None:
    def silent() -> str | None:
        return None if versions(demo.proxy) else "no answer"

    wait_until(silent, seconds=30, what="an answer by the proxy")
    demo.parts["gateway-1"].terminate()
    demo.parts["gateway-1"].wait(timeout=20)
    for _ in range(10):
        assert versions(demo.proxy)
