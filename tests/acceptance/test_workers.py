"""Workers and gateways as processes, each of which is killed, stopped or cut off from Redis.

In the end every gateway holds what each spoke lists, object by object and version by version.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from acceptance.company import Company, Worker, company, stale, total
from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios import Churn, apply_many

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

NAMESPACE = "workers"
EACH = 5
TAKEOVER = 15.0
RESTART = """mutation($key: RolloutKeyInput!) {
  restartRollout(input: {rollout: {key: $key}}) { applied }
}"""


@pytest.fixture(scope="module")
def names(fleet: Fleet) -> dict[str, list[str]]:
    return {name: apply_many(spoke, EACH, NAMESPACE) for name, spoke in fleet.spokes.items()}


@pytest.fixture(scope="module")
def firm(
    fleet: Fleet, names: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    folder: Path = tmp_path_factory.mktemp("company")
    with company(fleet, folder) as running:
        yield running


@pytest.fixture
def busy(firm: Company, fleet: Fleet, names: dict[str, list[str]]) -> Iterator[Company]:
    """While rollouts change all the time; in the end nothing of that is missing anywhere."""
    firm.wait_until_shared()
    churns = [
        Churn(spoke.cluster(), names[name], NAMESPACE, per_second=5)
        for name, spoke in fleet.spokes.items()
    ]
    with churns[0], churns[1]:
        yield firm
    firm.wait_until_shared()
    assert firm.wait_until_agreed(NAMESPACE) > len(firm.gateways) * 2 * EACH


def test_each_spoke_has_one_worker(busy: Company) -> None:
    assert sorted(len(worker.watched) for worker in busy.workers) == [1, 1]


def test_a_worker_that_is_told_to_stop_hands_over_within_two_seconds(busy: Company) -> None:
    ann, bob = busy.workers
    ann.process.stop()
    wait_until(lambda: has_all(bob), seconds=2, what="the other has taken over")
    ann.start()


def test_a_worker_that_is_killed_is_replaced(busy: Company) -> None:
    ann, bob = busy.workers
    ann.process.kill()
    wait_until(lambda: has_all(bob), seconds=TAKEOVER, what="the other has taken over")
    ann.start()


def test_a_worker_that_was_stopped_cannot_write_when_it_wakes(busy: Company) -> None:
    ann, bob = busy.workers
    ann.process.pause()
    wait_until(lambda: has_all(bob), seconds=TAKEOVER, what="the other has taken over")
    ann.process.resume()
    refused = "this feed is another's now"
    wait_until(
        lambda: None if refused in ann.process.output() else "it was not refused",
        seconds=10,
        what="what it wanted to write was refused",
    )


def test_a_gateway_that_is_killed_knows_all_when_it_is_back(busy: Company) -> None:
    one, two = busy.gateways
    one.process.kill()
    one.start()
    one.wait_until_synced()
    assert total(one) == total(two)


def test_without_redis_gateways_answer_from_memory_say_so_and_act(
    busy: Company, names: dict[str, list[str]]
) -> None:
    before = [total(gateway) for gateway in busy.gateways]
    busy.redis.stop()
    try:
        for gateway in busy.gateways:
            wait_until(partial(not_stale, gateway), seconds=20, what="all that is known is stale")
            key = {"cluster": "east", "namespace": NAMESPACE, "name": names["east"][0]}
            assert gateway.ask(RESTART, key=key)["restartRollout"]["applied"]
        assert [total(gateway) for gateway in busy.gateways] == before
    finally:
        busy.redis.start()
    for gateway in busy.gateways:
        wait_until(partial(any_stale, gateway), seconds=20, what="nothing is stale any more")


def test_a_redis_that_comes_back_empty_is_told_all_anew_and_nothing_disappears(
    busy: Company,
) -> None:
    before = [total(gateway) for gateway in busy.gateways]
    busy.redis.stop()
    busy.redis.forget()
    busy.redis.start()

    def told() -> str | None:
        """Until every feed is there again; all the while nobody misses a rollout."""
        assert [total(gateway) for gateway in busy.gateways] == before
        feeds = busy.redis.ask("SMEMBERS", "rollgraph:feeds").split()
        return None if sorted(feeds) == sorted(busy.fleet.spokes) else f"feeds: {feeds}"

    wait_until(told, seconds=20, what="the feeds are there again")
    for gateway in busy.gateways:
        wait_until(partial(any_stale, gateway), seconds=20, what="nothing is stale any more")
    assert [total(gateway) for gateway in busy.gateways] == before


def test_connections_that_are_cut_are_made_again(busy: Company) -> None:
    for kind in ("pubsub", "normal", "pubsub", "normal"):
        assert int(busy.redis.ask("CLIENT", "KILL", "TYPE", kind)) > 0
        busy.wait_until_shared()


def test_an_api_server_that_is_started_anew_is_watched_again(
    firm: Company, fleet: Fleet, names: dict[str, list[str]]
) -> None:
    west = fleet.spokes["west"]
    with Churn(fleet.spokes["east"].cluster(), names["east"], NAMESPACE, per_second=5):
        west.kill_apiserver()
        west.start_apiserver()
        with Churn(west.cluster(), names["west"], NAMESPACE, per_second=5) as churn:
            wait_until(
                lambda: None if churn.changes >= 10 else f"{churn.changes} changes",
                seconds=20,
                what="something has changed",
            )
    assert firm.wait_until_agreed(NAMESPACE) > len(firm.gateways) * 2 * EACH


def has_all(worker: Worker) -> str | None:
    return None if worker.watched == ["east", "west"] else f"it watches {worker.watched}"


def not_stale(gateway: Gateway) -> str | None:
    fresh = {"east", "west"} - stale(gateway)
    return f"not stale: {fresh}" if fresh else None


def any_stale(gateway: Gateway) -> str | None:
    found = stale(gateway)
    return f"stale: {found}" if found else None
