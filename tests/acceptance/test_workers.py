"""Workers and gateways as processes, each of which is killed, frozen or cut off: the nemesis suite.

All the while rollouts change, and twenty subscribers listen. After each blow every gateway holds
what each spoke lists, object by object and version by version; and every subscriber knows it, and
has been told of each change once and in order. `scripts/nemesis` goes on for as long as one likes.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from acceptance.blows import AFTER_REDIS, BLOWS, TAKEOVER, Blow
from acceptance.company import Company, Worker, stale, total
from acceptance.gateway import Gateway
from acceptance.guests import Guest
from acceptance.nemesis import Arena, arena
from testbed.deadline import wait_until
from testbed.fleet import Fleet

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]

NAMESPACE = "workers"
EACH = 5
# What is not told by a test of its own below.
OTHERS = {"compact", "revoke_the_token", "stop_a_gateway", "restart_an_api_server"}
MAY_READ = f"g, system:serviceaccount:{NAMESPACE}:%s, role:readonly\n"
RESTART = """mutation($key: RolloutKeyInput!) {
  restartRollout(input: {rollout: {key: $key}}) { applied }
}"""


@pytest.fixture(scope="module")
def field(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    folder: Path = tmp_path_factory.mktemp("company")
    with arena(fleet, folder, NAMESPACE, EACH) as made:
        yield made


@dataclass(frozen=True)
class Guarded:
    """A gateway of the company that wants to know who asks, and two whom it knew.

    Attributes:
        leaver: Whose account has been deleted since.
        stayer: Whose account is still there.
    """

    policy: Path
    leaver: Guest
    stayer: Guest


@pytest.fixture(scope="module", autouse=True)
def guarded(field: Arena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """It takes up to two minutes until nobody knows an account any more: that begins here."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    policy = folder / "policy.csv"
    policy.write_text(f"{MAY_READ % 'leaver'}{MAY_READ % 'stayer'}")
    firm, east = field.firm, field.firm.fleet["east"]
    tokens = {
        name: east.service_account_token(name, NAMESPACE, audiences=["rollgraph"])
        for name in ("leaver", "stayer")
    }
    guards = ("--auth", "oidc", "--service-accounts", "east", "--policy", str(policy))
    flags = ("--redis", firm.redis.url, *guards)
    with (
        Gateway(firm.fleet.kubeconfig, folder, flags, "gateway", "guarded") as gateway,
        Guest(gateway, tokens["leaver"], NAMESPACE) as leaver,
        Guest(gateway, tokens["stayer"], NAMESPACE) as stayer,
    ):
        east.cluster().delete("ServiceAccount", "leaver", NAMESPACE)
        yield Guarded(policy, leaver, stayer)


@pytest.fixture
def busy(field: Arena) -> Iterator[Company]:
    """While rollouts change, come and go; in the end nothing of that is missing anywhere."""
    with agreeing(field, deletes=True):
        yield field.firm


@pytest.fixture
def steady(field: Arena) -> Iterator[Company]:
    """While rollouts change, and always are as many."""
    with agreeing(field, deletes=False):
        yield field.firm


@contextmanager
def agreeing(field: Arena, *, deletes: bool) -> Iterator[None]:
    firm = field.firm
    firm.wait_until_shared(AFTER_REDIS)
    before = field.events
    with field.busy(deletes=deletes):
        yield
    firm.wait_until_shared(AFTER_REDIS)
    assert field.look() > len(firm.gateways) * 2 * EACH
    assert field.events > before


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


def test_a_gateway_that_is_killed_knows_all_when_it_is_back(steady: Company) -> None:
    one, two = steady.gateways
    one.process.kill()
    one.start()
    one.wait_until_synced()
    assert total(one) == total(two)


def test_without_redis_gateways_answer_from_memory_say_so_and_act(
    steady: Company,
) -> None:
    before = [total(gateway) for gateway in steady.gateways]
    steady.redis.stop()
    try:
        for gateway in steady.gateways:
            wait_until(
                partial(is_stale, gateway, {"east", "west"}),
                seconds=20,
                what="all that is known is stale",
            )
            key = {"cluster": "east", "namespace": NAMESPACE, "name": "app-0000"}
            assert gateway.ask(RESTART, key=key)["restartRollout"]["applied"]
        assert [total(gateway) for gateway in steady.gateways] == before
    finally:
        steady.redis.start()
    for gateway in steady.gateways:
        wait_until(partial(is_stale, gateway, set()), seconds=20, what="nothing is stale any more")


def test_a_redis_that_comes_back_empty_is_told_all_anew_and_nothing_disappears(
    steady: Company,
) -> None:
    before = [total(gateway) for gateway in steady.gateways]
    steady.redis.stop()
    steady.redis.forget()
    steady.redis.start()

    def told() -> str | None:
        """Until every feed is there again; all the while nobody misses a rollout."""
        assert [total(gateway) for gateway in steady.gateways] == before
        feeds = steady.redis.ask("SMEMBERS", "rollgraph:feeds").split()
        return None if sorted(feeds) == sorted(steady.fleet.spokes) else f"feeds: {feeds}"

    wait_until(told, seconds=20, what="the feeds are there again")
    for gateway in steady.gateways:
        wait_until(partial(is_stale, gateway, set()), seconds=20, what="nothing is stale any more")
    assert [total(gateway) for gateway in steady.gateways] == before


def test_connections_that_are_cut_are_made_again(busy: Company) -> None:
    for kind in ("pubsub", "normal", "pubsub", "normal"):
        wait_until(partial(killed, busy, kind), seconds=15, what=f"some {kind} are cut")
        busy.wait_until_shared()


@pytest.mark.parametrize("blow", [b for b in BLOWS if b.key in OTHERS], ids=lambda b: b.key)
def test_nothing_is_lost(busy: Company, blow: Blow) -> None:
    blow.strike(busy, random.Random(1))
    busy.wait_until_shared(blow.within)


def test_ways_that_are_half_open_are_noticed(busy: Company) -> None:
    links = [busy.links.spokes["west"], busy.links.doors["one"], busy.links.doors["two"]]
    for link in links:
        link.freeze()
    try:
        for gateway in busy.gateways:
            wait_until(partial(is_stale, gateway, {"west"}), seconds=20, what="west is stale")
    finally:
        for link in links:
            link.heal()
    for gateway in busy.gateways:
        wait_until(partial(is_stale, gateway, set()), seconds=30, what="west is back")


def test_a_worker_that_is_cut_off_from_redis_is_replaced(busy: Company) -> None:
    ann, bob = busy.workers
    busy.links.redis[ann.name].freeze()
    try:
        wait_until(lambda: has_all(bob), seconds=TAKEOVER, what="the other has taken over")
    finally:
        busy.links.redis[ann.name].heal()


def test_a_gateway_that_is_cut_off_from_redis_says_so_and_catches_up(busy: Company) -> None:
    one, two = busy.gateways
    busy.links.redis["one"].freeze()
    try:
        wait_until(partial(is_stale, one, {"east", "west"}), seconds=20, what="all is stale")
        assert stale(two) == set()
    finally:
        busy.links.redis["one"].heal()
    wait_until(partial(is_stale, one, set()), seconds=20, what="nothing is stale any more")


@pytest.mark.parametrize("way", ["reset", "slow and torn"])
def test_bad_ways_lose_nothing(busy: Company, way: str) -> None:
    links = busy.links.all()
    for link in links:
        if way == "reset":
            link.reset()
        else:
            link.slow(100)
            link.tear()
    time.sleep(4)  # that is how long it lasts
    for link in links:
        link.heal()


def test_whose_rights_are_taken_is_told_that_all_is_gone(guarded: Guarded) -> None:
    stayer = guarded.stayer
    known = {"SNAPSHOT": 1, "ADDED": 1, "DELETED": -1}

    def knows() -> str | None:
        held = sum(known.get(kind, 0) for kind in [*stayer.kinds])
        return f"{held} rollouts" if held else None

    assert knows()
    guarded.policy.write_text(MAY_READ % "leaver")
    wait_until(knows, seconds=30, what="it is shown nothing any more")
    assert stayer.code is None


def test_whose_account_is_gone_is_let_go(guarded: Guarded) -> None:
    leaver = guarded.leaver
    wait_until(
        lambda: "it is open" if leaver.code is None else None, seconds=150, what="it is closed"
    )
    assert (leaver.errors, leaver.code) == (["TOKEN_EXPIRED"], 4403)
    assert guarded.stayer.code is None


def has_all(worker: Worker) -> str | None:
    return None if worker.watched == ["east", "west"] else f"it watches {worker.watched}"


def killed(firm: Company, kind: str) -> str | None:
    number = int(firm.redis.ask("CLIENT", "KILL", "TYPE", kind))
    return None if number else "there is none, since the last time"


def is_stale(gateway: Gateway, wanted: set[str]) -> str | None:
    found = stale(gateway)
    return None if found == wanted else f"stale: {found}"
