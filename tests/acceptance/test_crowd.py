"""Two clusters with 300 rollouts each: one query, pages while all changes, a cluster that dies."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from acceptance import ledger
from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios import Churn, apply_many
from testbed.spoke import Spoke

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

NAMESPACE = "crowd"
EACH = 300

LIST = """
query List($first: Int, $after: String, $filter: RolloutFilter, $orderBy: [RolloutOrder!]) {
  rollouts(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes { clusterName name phase updatedAt currentStepIndex replicas { available } }
    pageInfo { hasNextPage endCursor }
    totalCount partial
    clusters { cluster { name } stale reason }
  }
}
"""
HERE = {"namespace": {"eq": NAMESPACE}}


@pytest.fixture(scope="module")
def crowd(fleet: Fleet) -> dict[str, list[str]]:
    """Names of healthy rollouts by cluster, 300 in each."""

    def fill(spoke: Spoke) -> list[str]:
        return apply_many(spoke, EACH, NAMESPACE)

    with ThreadPoolExecutor() as pool:
        return dict(zip(fleet.spokes, pool.map(fill, fleet.spokes.values()), strict=True))


@pytest.fixture
def changing(fleet: Fleet, crowd: dict[str, list[str]]) -> Iterator[None]:
    """New images and new annotations on both clusters, all the time."""
    with ExitStack() as stack:
        for name, spoke in fleet.spokes.items():
            touched, updated = crowd[name][: EACH // 2], crowd[name][EACH // 2 :]
            cluster = spoke.cluster()
            stack.enter_context(Churn(cluster, touched, NAMESPACE, per_second=20))
            stack.enter_context(Churn(cluster, updated, NAMESPACE, per_second=2, touch=False))
        yield


def walk(gateway: Gateway, size: int, **variables: Any) -> list[tuple[str, str]]:
    """The cluster and name of each rollout, page by page."""
    seen: list[tuple[str, str]] = []
    after: str | None = None
    while True:
        page = gateway.ask(LIST, first=size, after=after, **variables)["rollouts"]
        seen += [(node["clusterName"], node["name"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]


def everyone(crowd: dict[str, list[str]]) -> list[tuple[str, str]]:
    return sorted((cluster, name) for cluster, names in crowd.items() for name in names)


def test_one_query_answers_over_both_clusters(
    gateway: Gateway, crowd: dict[str, list[str]], fleet: Fleet
) -> None:
    for spoke in fleet.spokes.values():
        # A rollout, its ReplicaSet and two pods.
        assert ledger.agree(gateway, spoke, NAMESPACE) == 4 * EACH
    page = gateway.ask(
        LIST, first=200, filter=HERE, orderBy=[{"field": "NAME", "direction": "DESC"}]
    )["rollouts"]
    assert page["totalCount"] == 2 * EACH
    assert page["partial"] is False
    last = f"app-{EACH - 1:04}"
    assert [(n["clusterName"], n["name"]) for n in page["nodes"][:2]] == [
        ("east", last),
        ("west", last),
    ]
    west = gateway.ask(LIST, filter={**HERE, "cluster": {"eq": "west"}, "phase": ["HEALTHY"]})
    assert west["rollouts"]["totalCount"] == EACH


@pytest.mark.parametrize("field", ["CLUSTER", "UPDATED_AT", "PHASE", "PROGRESS"])
def test_pages_neither_skip_nor_repeat_while_rollouts_change(
    field: str, gateway: Gateway, crowd: dict[str, list[str]], changing: None
) -> None:
    order = [{"field": field, "direction": "DESC"}]
    for size in (7, 50, 200):
        assert sorted(walk(gateway, size, filter=HERE, orderBy=order)) == everyone(crowd)


def test_after_all_changes_every_object_is_as_the_spoke_lists_it(
    gateway: Gateway, crowd: dict[str, list[str]], fleet: Fleet
) -> None:
    for spoke in fleet.spokes.values():
        assert ledger.agree(gateway, spoke, NAMESPACE, seconds=120) > 4 * EACH


def test_a_dead_api_server_makes_its_cluster_stale_and_slows_no_other(
    gateway: Gateway, crowd: dict[str, list[str]], fleet: Fleet
) -> None:
    east = {**HERE, "cluster": {"eq": "east"}}
    before = seconds_per_answer(gateway, east)
    killed = time.monotonic()
    fleet["west"].kill_apiserver()
    try:
        wait_until(lambda: stale(gateway, "west", True), seconds=10, what="west is stale")
        noticed = time.monotonic() - killed
        page = gateway.ask(LIST, filter=HERE)["rollouts"]
        assert (page["partial"], page["totalCount"]) == (True, 2 * EACH)
        assert stale(gateway, "east", False) is None
        during = seconds_per_answer(gateway, east)
    finally:
        fleet["west"].start_apiserver()
    wait_until(lambda: stale(gateway, "west", False), seconds=60, what="west is back by itself")
    assert ledger.agree(gateway, fleet["west"], NAMESPACE, seconds=120) >= 4 * EACH
    assert noticed < 10
    # Twice would be no difference yet: these are a few milliseconds on a busy machine.
    assert during < 2 * before + 0.01


def seconds_per_answer(gateway: Gateway, wanted: dict[str, Any]) -> float:
    """The median over some answers."""
    times = []
    for _ in range(20):
        asked = time.perf_counter()
        gateway.ask(LIST, first=50, filter=wanted)
        times.append(time.perf_counter() - asked)
    return statistics.median(times)


def stale(gateway: Gateway, cluster: str, wanted: bool) -> str | None:
    """None once a cluster is stale, or is not, as wanted; else what it says."""
    clusters = gateway.ask(LIST, first=0)["rollouts"]["clusters"]
    (found,) = (item for item in clusters if item["cluster"]["name"] == cluster)
    return None if found["stale"] is wanted else str(found)
