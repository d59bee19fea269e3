"""A long run on real parts while one after the other of them is killed, frozen or cut off.

    scripts/nemesis --minutes 20 --seed 7

Two spokes whose rollouts change all the time, Redis, two workers, two gateways, twenty subscribers.
After each blow the spokes have their workers again within 15 seconds, or 30 where Redis itself was
away; after every few, nothing changes for a moment: each gateway must hold what each spoke lists,
each subscriber must know it, and must have been told of each change once and in order.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from acceptance.blows import BLOWS
from acceptance.company import Company, company
from acceptance.feedlog import FeedLog
from acceptance.subscribers import HEARTBEAT, Crowd
from acceptance.traffic import Traffic
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios import apply_many

NAMESPACE = "nemesis"
EACH = 10
# Changes of each spoke. A gateway that was cut off from Redis for a while has more to tell at once
# then than may wait for a subscriber (256).
PER_SECOND = 5.0
BLOWS_BETWEEN_LOOKS = 4
# Seconds until all is as the spokes list it once nothing changes any more.
SETTLED_WITHIN = 60.0
# Changes of each spoke between two looks, at least.
LEAST = 5
# A gateway that stops lets its subscribers go within half of its grace.
FLAGS = (
    *("--stream-heartbeat", str(HEARTBEAT), "--stream-patience", "5"),
    *("--shutdown-grace", "4"),
)


class Arena:
    """A company, and all that looks at it.

    Attributes:
        firm: The company.
        crowd: Its subscribers.
    """

    def __init__(self, firm: Company, namespace: str, names: dict[str, list[str]]) -> None:
        self.firm = firm
        self.crowd = Crowd(firm.doors, namespace)
        self.log = FeedLog(firm.redis.url, namespace)
        self._namespace = namespace
        self._names = names

    @property
    def events(self) -> int:
        """How many its subscribers have been told of."""
        return self.crowd.events

    @contextmanager
    def busy(
        self, per_second: float = PER_SECOND, seed: int = 0, *, deletes: bool = True
    ) -> Iterator[None]:
        """While rollouts change all the time, and come and go if they are to."""
        where = self._namespace
        with ExitStack() as stack:
            traffic = [
                stack.enter_context(
                    Traffic(spoke, self._names[name], where, per_second, seed, deletes=deletes)
                )
                for name, spoke in self.firm.fleet.spokes.items()
            ]
            yield
            wait_until(
                lambda: None if all(each.changes >= LEAST for each in traffic) else "too few",
                seconds=SETTLED_WITHIN,
                what=f"{LEAST} changes on each spoke",
            )

    def look(self) -> int:
        """Waits until all is as the spokes list it; how many objects that is.

        Fails if anybody holds, or was told, anything else.
        """
        objects = self.firm.wait_until_agreed(self._namespace, SETTLED_WITHIN)
        self.crowd.wait_until_told([*self.firm.fleet.spokes.values()], SETTLED_WITHIN)
        self.crowd.judge(self.log.drain())
        return objects


@contextmanager
def arena(fleet: Fleet, folder: Path, namespace: str, each: int) -> Iterator[Arena]:
    """A company that is there, with rollouts and subscribers."""
    names = {name: apply_many(spoke, each, namespace) for name, spoke in fleet.spokes.items()}
    with company(fleet, folder, *FLAGS) as firm:
        made = Arena(firm, namespace, names)
        with made.log, made.crowd:
            made.look()
            yield made


def main() -> int:
    """Runs it; whatever is wrong in the end raises."""
    options = _options()
    rng = random.Random(options.seed)
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet())
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        field = stack.enter_context(arena(fleet, folder, NAMESPACE, EACH))
        end = time.monotonic() + options.minutes * 60
        rounds = 0
        while time.monotonic() < end or not rounds:
            rounds += 1
            _round(field, rng)
            objects = field.look()
            print(f"round {rounds}: all {objects} objects are as the spokes list them", flush=True)
            print(f"  {field.crowd.summary()}", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/nemesis", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same blows")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where logs go, to be kept")
    return parser.parse_args()


def _round(field: Arena, rng: random.Random) -> None:
    with field.busy(seed=rng.randrange(1 << 32)):
        for _ in range(BLOWS_BETWEEN_LOOKS):
            blow = rng.choice(BLOWS)
            print(f"  {blow.name}", flush=True)
            blow.strike(field.firm, rng)
            field.firm.wait_until_shared(blow.within)


if __name__ == "__main__":
    sys.exit(main())
