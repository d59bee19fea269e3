"""A long run on real parts while one after the other of them is killed, frozen or cut off.

    scripts/nemesis --minutes 20 --seed 7

Two spokes whose rollouts change all the time, Redis, two workers, two gateways. After each blow the
spokes have their workers again within 15 seconds, or 30 where Redis itself was away; after every
few, nothing changes for a moment, and each gateway must hold what each spoke lists.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from acceptance.company import Company, company
from testbed.fleet import Fleet
from testbed.scenarios import Churn, apply_many

NAMESPACE = "nemesis"
EACH = 10
PER_SECOND = 5.0
BLOWS_BETWEEN_LOOKS = 4
SHARED_WITHIN, AFTER_REDIS = 15.0, 30.0


def main() -> int:
    """Runs it; whatever is wrong in the end raises."""
    options = _options()
    rng = random.Random(options.seed)
    with Fleet() as fleet, tempfile.TemporaryDirectory() as folder:
        names = {name: apply_many(spoke, EACH, NAMESPACE) for name, spoke in fleet.spokes.items()}
        with company(fleet, Path(folder)) as firm:
            end = time.monotonic() + options.minutes * 60
            rounds = 0
            while time.monotonic() < end or not rounds:
                rounds += 1
                _round(firm, names, rng)
                count = firm.wait_until_agreed(NAMESPACE, seconds=60)
                print(
                    f"round {rounds}: all {count} objects are as the spokes list them", flush=True
                )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/nemesis", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same blows")
    return parser.parse_args()


def _round(firm: Company, names: dict[str, list[str]], rng: random.Random) -> None:
    with ExitStack() as stack:
        for name, spoke in firm.fleet.spokes.items():
            churn = Churn(spoke.cluster(), names[name], NAMESPACE, per_second=PER_SECOND)
            stack.enter_context(churn)
        for _ in range(BLOWS_BETWEEN_LOOKS):
            blow, within = rng.choice(BLOWS)
            print(f"  {(blow.__doc__ or '').strip()}", flush=True)
            blow(firm, rng)
            firm.wait_until_shared(within)


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


BLOWS: tuple[tuple[Callable[[Company, random.Random], None], float], ...] = (
    (_kill_a_worker, SHARED_WITHIN),
    (_stop_a_worker, SHARED_WITHIN),
    (_freeze_a_worker, SHARED_WITHIN),
    (_kill_a_gateway, SHARED_WITHIN),
    (_freeze_a_gateway, SHARED_WITHIN),
    (_restart_redis, AFTER_REDIS),
    (_empty_redis, AFTER_REDIS),
    (_cut_connections, SHARED_WITHIN),
)


if __name__ == "__main__":
    sys.exit(main())
