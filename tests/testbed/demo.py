"""Rollouts in every state worth looking at, for ``scripts/testbed up --demo``."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from testbed.errors import TestbedError
from testbed.scenarios import Moment, by_name
from testbed.spoke import Spoke

# Scenario -> the moment it stays at as long as the testbed runs.
SHOWN = {
    "guestbook": "paused at 20 %",
    "blue-green": "paused with a preview",
    "nginx-weights": "paused at 50 %",
    "aborted": "aborted",
    "deadline": "new pods cannot pull their image",
    "analysis-fails": "aborted by its analysis",
    "background-analysis": "paused while an analysis runs",
    "manually-paused": "paused while idle",
    "workload-ref": "paused after a change of the Deployment",
}
AT_ONCE = 4  # scenarios mostly wait for the controllers


@contextlib.contextmanager
def demo(spokes: Sequence[Spoke]) -> Iterator[list[Moment]]:
    """Play each scenario up to its moment, on the spokes in turn, and leave it there.

    Each is in the namespace of its name.
    """
    with contextlib.ExitStack() as stack:

        def play(n: int, name: str) -> Moment:
            moments = by_name(name).play(spokes[n % len(spokes)], namespace=name)
            stack.callback(moments.close)
            for moment in moments:
                if moment.name == SHOWN[name]:
                    return moment
            raise TestbedError(f"the scenario {name} has no moment {SHOWN[name]!r}: see demo.SHOWN")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            shown = list(pool.map(play, range(len(SHOWN)), SHOWN))
        yield shown
