"""Rollouts in every state worth looking at, for ``scripts/testbed up --demo``."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from testbed.scenarios import Moment, by_name
from testbed.spoke import Spoke

# Scenario -> how many of its moments to live through; each stays as long as the testbed runs.
SHOWN = {
    "guestbook": 2,
    "blue-green": 2,
    "nginx-weights": 3,
    "aborted": 1,
    "deadline": 2,
    "analysis-fails": 2,
    "background-analysis": 1,
    "manually-paused": 1,
    "workload-ref": 2,
}
AT_ONCE = 4  # scenarios mostly wait for the controllers


@contextlib.contextmanager
def demo(spokes: Sequence[Spoke]) -> Iterator[list[Moment]]:
    """Play each scenario up to its moment, on the spokes in turn, and leave it there."""
    with contextlib.ExitStack() as stack:

        def play(n: int, name: str) -> Moment:
            moments = by_name(name).play(spokes[n % len(spokes)], namespace=name)
            stack.callback(moments.close)
            shown = next(moments)
            for _ in range(SHOWN[name] - 1):
                shown = next(moments)
            return shown

        with ThreadPoolExecutor(AT_ONCE) as pool:
            shown = list(pool.map(play, range(len(SHOWN)), SHOWN))
        yield shown
