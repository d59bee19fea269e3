"""What is done to a company: one part is killed, frozen, cut off or made to forget."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from acceptance.company import Company, connection
from testbed.deadline import wait_until
from testbed.toxiproxy import Link

# Seconds until every spoke has its worker again: a lease and what it takes to begin; and where
# Redis itself was away, the workers' own patience besides.
TAKEOVER, AFTER_REDIS = 15.0, 30.0
# Seconds after which an API server has forgotten that it knew a token: it remembers for 10.
REVOKED_WITHIN = 30.0
TOLD_WITHIN = 30.0


@dataclass(frozen=True)
class Blow:
    """One of them.

    Attributes:
        strike: Does it, and mends what has to be mended by hand.
        within: Seconds until each spoke has its worker again.
    """

    strike: Callable[[Company, random.Random], None]
    within: float = TAKEOVER

    @property
    def key(self) -> str:
        """Its name for a program."""
        return self.strike.__name__.strip("_")

    @property
    def name(self) -> str:
        """What happens, in a sentence."""
        return (self.strike.__doc__ or "").strip().rstrip(".")


def _kill_a_worker(firm: Company, rng: random.Random) -> None:
    """A worker is killed, and another started."""
    worker = rng.choice(firm.workers)
    worker.process.kill()
    time.sleep(rng.uniform(0, 12))  # before or after its leases lapse
    worker.start()


def _stop_a_worker(firm: Company, rng: random.Random) -> None:
    """A worker is told to stop, and another started."""
    worker = rng.choice(firm.workers)
    worker.process.stop()
    worker.start()


def _freeze_a_worker(firm: Company, rng: random.Random) -> None:
    """A worker is frozen, and wakes up."""
    worker = rng.choice(firm.workers)
    worker.process.pause()
    time.sleep(rng.uniform(1, 14))  # before or after its leases lapse
    worker.process.resume()


def _kill_a_gateway(firm: Company, rng: random.Random) -> None:
    """A gateway is killed, and another started."""
    gateway = rng.choice(firm.gateways)
    gateway.process.kill()
    gateway.start()


def _stop_a_gateway(firm: Company, rng: random.Random) -> None:
    """A gateway is told to stop, and another started."""
    gateway = rng.choice(firm.gateways)
    gateway.process.stop(30)
    gateway.start()


def _freeze_a_gateway(firm: Company, rng: random.Random) -> None:
    """A gateway is frozen, and wakes up."""
    gateway = rng.choice(firm.gateways)
    gateway.process.pause()
    time.sleep(rng.uniform(1, 10))
    gateway.process.resume()


def _restart_redis(firm: Company, rng: random.Random) -> None:
    """Redis is killed, and started with what it has saved."""
    firm.redis.stop()
    time.sleep(rng.uniform(0, 12))
    firm.redis.start()


def _empty_redis(firm: Company, rng: random.Random) -> None:
    """Redis is killed, and started empty."""
    firm.redis.stop()
    firm.redis.forget()
    time.sleep(rng.uniform(0, 12))
    firm.redis.start()


def _cut_connections(firm: Company, rng: random.Random) -> None:
    """Redis cuts connections."""
    for _ in range(rng.randint(1, 5)):
        firm.redis.ask("CLIENT", "KILL", "TYPE", rng.choice(["pubsub", "normal"]))


def _restart_an_api_server(firm: Company, rng: random.Random) -> None:
    """An API server is killed, and started again."""
    spoke = rng.choice([*firm.fleet.spokes.values()])
    spoke.kill_apiserver()
    spoke.start_apiserver()


def _compact(firm: Company, rng: random.Random) -> None:
    """An API server forgets what happened while nobody watched it: 410."""
    name, spoke = rng.choice([*firm.fleet.spokes.items()])
    before = connection(firm.gateways[0], name)["relists"]
    firm.links.spokes[name].cut()
    try:
        time.sleep(rng.uniform(0.5, 2))  # some changes that the watch has not brought
        spoke.kill_apiserver()
        firm.fleet.compact_etcd()
        spoke.start_apiserver()
    finally:
        firm.links.spokes[name].heal()

    def listed_anew() -> str | None:
        found = connection(firm.gateways[0], name)
        return None if found["relists"] > before else str(found)

    wait_until(listed_anew, seconds=TOLD_WITHIN, what=f"{name} has been listed anew")


def _cut_a_spoke(firm: Company, rng: random.Random) -> None:
    """A spoke cannot be reached, or is half-open, slow or torn."""
    name = rng.choice([*firm.links.spokes])
    _disturb(firm.links.spokes[name], rng)


def _cut_a_process_from_redis(firm: Company, rng: random.Random) -> None:
    """A process cannot reach Redis, or is half-open, slow or torn."""
    name = rng.choice([*firm.links.redis])
    _disturb(firm.links.redis[name], rng)


def _cut_subscribers(firm: Company, rng: random.Random) -> None:
    """Subscribers cannot reach a gateway, or are half-open, slow or torn."""
    name = rng.choice([*firm.links.doors])
    _disturb(firm.links.doors[name], rng)


def _revoke_the_token(firm: Company, rng: random.Random) -> None:
    """A spoke does not know its worker any more, until that has a token again."""
    name = rng.choice([*firm.links.spokes])
    firm.links.revoke(name)
    try:
        wait_until(
            lambda: "it is still known" if firm.links.admits(name) else None,
            seconds=REVOKED_WITHIN,
            what=f"{name} does not know the token",
        )
        # Credentials are asked for when a request starts: a watch that runs goes on.
        firm.links.spokes[name].cut()
        firm.links.spokes[name].heal()
        _wait_for_status(firm, name, "DISCONNECTED", "UNAUTHENTICATED")
    finally:
        firm.links.readmit(name)
    _wait_for_status(firm, name, "CONNECTED", None)


def _wait_for_status(firm: Company, spoke: str, status: str, problem: str | None) -> None:
    def check() -> str | None:
        found = [connection(gateway, spoke) for gateway in firm.gateways]
        good = all((each["status"], each["problem"]) == (status, problem) for each in found)
        return None if good else str(found)

    wait_until(check, seconds=TOLD_WITHIN, what=f"gateways say that {spoke} is {status}")


def _disturb(link: Link, rng: random.Random) -> None:
    """Does one thing to a link for some seconds."""
    ways: list[Callable[[], None]] = [
        link.cut,
        link.freeze,
        link.reset,
        lambda: link.slow(rng.choice([50, 500])),
        lambda: link.tear(rng.choice([512, 4096])),
    ]
    rng.choice(ways)()
    try:
        time.sleep(rng.uniform(1, 14))
    finally:
        link.heal()


BLOWS = (
    Blow(_kill_a_worker),
    Blow(_stop_a_worker),
    Blow(_freeze_a_worker),
    Blow(_kill_a_gateway),
    Blow(_stop_a_gateway),
    Blow(_freeze_a_gateway),
    Blow(_restart_redis, AFTER_REDIS),
    Blow(_empty_redis, AFTER_REDIS),
    Blow(_cut_connections),
    Blow(_restart_an_api_server),
    Blow(_compact),
    Blow(_cut_a_spoke),
    Blow(_cut_a_process_from_redis, AFTER_REDIS),
    Blow(_cut_subscribers),
    Blow(_revoke_the_token),
)
