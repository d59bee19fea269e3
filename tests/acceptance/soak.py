"""A long run on real spokes while rollouts change all the time: memory flat, nothing lost.

    scripts/soak --minutes 20

Two spokes with 300 rollouts each. Half of the rollouts get new annotations, others new images, so
that the controllers work and pods come and go; scenarios with analyses and experiments play beside
them. At the end the rates drop to nothing, and every object of every kind that
Rollgraph holds must be in the version that the spoke lists.

Memory is flat if the median of the last third of the run is within 3 % of the middle third's. The
first third is left out: the first changes of each rollout make objects that stay (ReplicaSets).
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from acceptance import ledger
from acceptance.gateway import Gateway
from testbed.errors import NotReachedError
from testbed.fleet import Fleet
from testbed.scenarios import Churn, apply_many, by_name
from testbed.spoke import Spoke

NAMESPACE = "soak"
EACH = 300
TOUCHES_PER_SECOND = 20.0
UPDATES_PER_SECOND = 2.0
# Each gets all of the few images in the first third of a 20-minute run; so many ReplicaSets stay.
UPDATED = 60
BESIDE = ("analysis-passes", "experiment")
SAMPLE_SECONDS = 5.0
FLAT = 0.03
MIB = 1024 * 1024


def main() -> int:
    """Runs the soak; exit status 1 if memory grew. A difference of the lists raises."""
    options = _options()
    with Fleet() as fleet, tempfile.TemporaryDirectory() as folder:
        names = _fill(fleet, options.rollouts)
        with Gateway(fleet.kubeconfig, Path(folder)) as gateway:
            gateway.wait_until_synced()
            samples = _run(fleet, gateway, names, options.minutes * 60)
            grown = _verdict(samples)
            for spoke in fleet.spokes.values():
                count = ledger.agree(gateway, spoke, NAMESPACE, seconds=120)
                print(f"{spoke.name}: all {count} objects are as the spoke lists them")
    return grown


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (default: 20)")
    parser.add_argument("--rollouts", type=int, default=EACH, help="per spoke (default: 300)")
    return parser.parse_args()


def _fill(fleet: Fleet, count: int) -> dict[str, list[str]]:
    print(f"making {count} rollouts on each of {len(fleet.spokes)} spokes", flush=True)
    with ThreadPoolExecutor() as pool:
        made = pool.map(lambda s: apply_many(s, count, NAMESPACE), fleet.spokes.values())
        return dict(zip(fleet.spokes, made, strict=True))


def _run(fleet: Fleet, gateway: Gateway, names: dict[str, list[str]], seconds: float) -> list[int]:
    """Changes everything for so long; returns the memory at each sample, in bytes."""
    samples: list[int] = []
    started = time.monotonic()
    with ExitStack() as stack:
        churns = [
            stack.enter_context(churn)
            for name, spoke in fleet.spokes.items()
            for churn in _churns(spoke, names[name])
        ]
        stack.enter_context(_playing(fleet.spokes["east"]))
        while (passed := time.monotonic() - started) < seconds:
            time.sleep(SAMPLE_SECONDS)  # a sample is due then, whatever happens
            samples.append(gateway.memory())
            if len(samples) % 12 == 0:
                changes = sum(churn.changes for churn in churns)
                print(
                    f"{passed:5.0f} s  {changes:6} changes  {samples[-1] / MIB:.1f} MiB", flush=True
                )
    return samples


def _churns(spoke: Spoke, names: list[str]) -> list[Churn]:
    half, cluster = len(names) // 2, spoke.cluster()
    updated = names[half : half + UPDATED]
    return [
        Churn(cluster, names[:half], NAMESPACE, per_second=TOUCHES_PER_SECOND),
        Churn(cluster, updated, NAMESPACE, per_second=UPDATES_PER_SECOND, touch=False),
    ]


@contextmanager
def _playing(spoke: Spoke) -> Iterator[None]:
    """Plays scenarios one after the other, again and again."""
    stop = threading.Event()
    errors: list[Exception] = []

    def play() -> None:
        try:
            while not stop.is_set():
                for name in BESIDE:
                    _play(spoke, name, stop)
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=play, name="scenarios")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if errors:
        raise errors[0]


def _play(spoke: Spoke, name: str, stop: threading.Event) -> None:
    """Plays one scenario; that a busy machine is late with it says nothing of Rollgraph."""
    try:
        for _ in by_name(name).play(spoke):
            if stop.is_set():
                return
    except NotReachedError as error:
        print(f"the scenario {name} came too late: {error}", flush=True)


def _verdict(samples: list[int]) -> int:
    third = len(samples) // 3
    if third == 0:
        print("too short for a word on memory")
        return 0
    middle = statistics.median(samples[third : 2 * third])
    last = statistics.median(samples[2 * third :])
    growth = last / middle - 1
    print(f"memory: {middle / MIB:.1f} MiB, then {last / MIB:.1f} MiB: {growth:+.1%}")
    return int(growth > FLAT)


if __name__ == "__main__":
    sys.exit(main())
