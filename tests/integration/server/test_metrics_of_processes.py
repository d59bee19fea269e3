"""What each process tells at /metrics is what the reference says, and sound to Prometheus."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from acceptance.company import Worker
from acceptance.gateway import Gateway
from contract.servers import redis_server
from promtool import promtool
from rollgraph.adapters.prometheus import families
from rollgraph.adapters.prometheus.families import Family, Part
from simulated.spoke import SimulatedSpoke, simulated_spoke
from testbed.deadline import wait_until
from testbed.ports import free_port

# The first test that asks for promtool may have it compiled.
pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(900)]

TYPE = re.compile(r"^# TYPE (rollgraph_\w+) (\w+)$", re.MULTILINE)
SHARED = {families.LEASES, families.WORKERS}


@pytest.fixture(scope="module")
def spoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSpoke]:
    with simulated_spoke(tmp_path_factory.mktemp("spoke")) as running:
        yield running


def told(text: str) -> set[tuple[str, str]]:
    """The metrics of ours and their types; when a counter was made is a detail of the client."""
    return {found for found in TYPE.findall(text) if not found[0].endswith("_created")}


def of(*parts: Part, but: set[Family] | None = None) -> set[tuple[str, str]]:
    """The metrics that the reference has."""
    return {
        (each.name, str(each.form))
        for each in families.EVERY
        if each.part in parts and each not in (but or set())
    }


def values(text: str, name: str) -> dict[str, float]:
    """The values of a metric by their labels."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def scraped(url: str) -> str:
    answer = httpx2.get(f"{url}/metrics", trust_env=False)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert promtool("check", "metrics", given=text) == ""
    return text


def test_one_process_that_does_all(spoke: SimulatedSpoke, tmp_path: Path) -> None:
    with Gateway(spoke.kubeconfig, tmp_path) as gateway:
        gateway.wait_until_synced()
        gateway.ask("{ rollouts(first: 1) { nodes { name } } }")
        gateway.ask("{ rollouts(first: 1) { nodes { name } } }")
        text = scraped(gateway.url)
    assert told(text) == of(Part.EVERY, Part.WATCHES, Part.ANSWERS, but=SHARED)
    assert values(text, "rollgraph_cluster_stale") == {'cluster="simulated"': 0}
    assert values(text, "rollgraph_clusters")['status="CONNECTED"'] == 1
    state = values(text, "rollgraph_watch_state")
    assert state['cluster="simulated",kind="Rollout"'] == 2
    lists = values(text, "rollgraph_relist_total")
    assert set(lists) == {'cluster="simulated",reason="START"'}
    assert values(text, "rollgraph_answers_kept_total")['result="hit"'] >= 1
    asked = values(text, "rollgraph_graphql_operations_total")
    assert asked['result="ok",type="query"'] >= 1
    assert values(text, "process_open_fds")[""] > 0


def test_a_worker_and_a_gateway_each_tell_their_part(spoke: SimulatedSpoke, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        own = free_port()
        flags = ("--redis", redis.url)
        worker = Worker("w0", spoke.kubeconfig, tmp_path, *flags, "--metrics-port", str(own))
        worker.start()
        try:
            with Gateway(spoke.kubeconfig, tmp_path, flags, "gateway") as gateway:
                gateway.wait_until_synced()
                wait_until(
                    lambda: None if worker.watched == ["simulated"] else "not yet",
                    seconds=10,
                    what="the worker watches",
                )
                watches, answers = scraped(f"http://127.0.0.1:{own}"), scraped(gateway.url)
        finally:
            worker.close()
    assert told(watches) == of(Part.EVERY, Part.WATCHES)
    assert told(answers) == of(Part.EVERY, Part.ANSWERS)
    assert values(watches, "rollgraph_leases_held") == {"": 1}
    assert values(watches, "rollgraph_workers") == {"": 1}
    assert values(watches, "rollgraph_feed_published_total")[""] > 0
    assert values(answers, "rollgraph_feed_applied_total")[""] > 0
    assert list(values(answers, "rollgraph_replica_lag_seconds")) == ['cluster="simulated"']
    (build,) = values(answers, "rollgraph_build_info")
    assert 'role="gateway"' in build
