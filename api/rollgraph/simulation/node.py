"""The kubelet of a simulated cluster: gives pods their time to start, to fail and to stop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TypeAlias

from rollgraph.simulation.controller import kubelet
from rollgraph.simulation.controller.kubelet import Fault
from rollgraph.simulation.manifests import Manifest, name_of, namespace_of, stamp, uid_of, with_meta
from rollgraph.simulation.store import Store
from rollgraph.simulation.timers import Timers

MANAGER = "kubelet"
# Seconds until a crashed container starts again: each time twice as long. A kubelet begins with 10
# too, but goes on to 300, for which nobody wants to wait.
BACK_OFF, LONGEST_BACK_OFF = 10.0, 80.0
# Seconds that a container runs before it crashes.
CRASHES_AFTER = 2.0
SLOW = 20.0

_Step: TypeAlias = Callable[[Manifest, datetime], Manifest]


@dataclass(frozen=True)
class Pace:
    """How long pods take, in seconds from and to.

    Attributes:
        nodes: Where pods are put that name no node; without any they stay pending.
    """

    start: tuple[float, float] = (1.0, 4.0)
    stop: tuple[float, float] = (1.0, 3.0)
    nodes: tuple[str, ...] = ()


AT_ONCE = Pace(start=(0.0, 0.0), stop=(0.0, 0.0))


class Node:
    """Looks after the pods of one cluster.

    Attributes:
        pace: How long pods take from now on.
    """

    def __init__(self, store: Store, timers: Timers, random: Random, pace: Pace) -> None:
        self._store = store
        self._timers = timers
        self._random = random
        self.pace = pace
        self._addresses = 0

    def begin(self, pod: Manifest, now: datetime) -> None:
        """Takes a new pod over."""
        fault = kubelet.fault_of_pods(pod["spec"])
        node = pod["spec"].get("nodeName") or self._node()
        if node is None or fault is Fault.PENDING:
            return
        spec = {**pod["spec"], "nodeName": node}
        self._write(kubelet.creating({**pod, "spec": spec}, now), now)
        seconds = self._random.uniform(*self.pace.start)
        match fault:
            case Fault.NO_PULL:
                self._later(pod, now, seconds, partial(_waits, "ErrImagePull"))
                self._later(pod, now, seconds + BACK_OFF, partial(_waits, "ImagePullBackOff"))
            case Fault.CRASH:
                self._crash(pod, now, seconds + CRASHES_AFTER)
            case _:
                slow = SLOW if fault is Fault.SLOW else 0.0
                self._later(pod, now, seconds + slow, self._run)

    def end(self, pod: Manifest, now: datetime) -> None:
        """Stops a pod, which disappears after a while."""
        if "deletionTimestamp" in pod["metadata"]:
            return
        seconds = self._random.uniform(*self.pace.stop)
        if seconds == 0:
            self._store.delete("Pod", namespace_of(pod), name_of(pod))
            return
        self._write(
            with_meta(
                pod,
                deletionTimestamp=stamp(now + timedelta(seconds=30)),
                deletionGracePeriodSeconds=30,
            ),
            now,
        )
        self._timers.at(now + timedelta(seconds=seconds), partial(self._gone, pod))

    def _node(self) -> str | None:
        return self._random.choice(self.pace.nodes) if self.pace.nodes else None

    def _run(self, pod: Manifest, now: datetime) -> Manifest:
        self._addresses += 1
        high, low = divmod(self._addresses % 65_000, 250)
        return kubelet.running(pod, now, f"10.42.{high}.{low + 1}")

    def _crash(self, pod: Manifest, now: datetime, seconds: float, restarts: int = 1) -> None:
        def crash(then: datetime) -> None:
            if self._changed(pod, then, partial(_waits, "CrashLoopBackOff", restarts=restarts)):
                rest = min(LONGEST_BACK_OFF, BACK_OFF * 2 ** (restarts - 1))
                self._crash(pod, then, rest + CRASHES_AFTER, restarts + 1)

        self._timers.at(now + timedelta(seconds=seconds), crash)

    def _later(self, pod: Manifest, now: datetime, seconds: float, step: _Step) -> None:
        if seconds == 0:
            self._changed(pod, now, step)
        else:
            due = now + timedelta(seconds=seconds)
            self._timers.at(due, lambda then: self._ignore(self._changed(pod, then, step)))

    @staticmethod
    def _ignore(_: bool) -> None:
        """What became of it does not matter here."""

    def _changed(self, pod: Manifest, now: datetime, step: _Step) -> bool:
        """Changes a pod, unless it is gone or about to go."""
        held = self._find(pod)
        if held is None or "deletionTimestamp" in held["metadata"]:
            return False
        self._write(step(held, now), now)
        return True

    def _gone(self, pod: Manifest, _: datetime) -> None:
        if self._find(pod) is not None:
            self._store.delete("Pod", namespace_of(pod), name_of(pod))

    def _find(self, pod: Manifest) -> Manifest | None:
        """The pod as it is now; None if there is none, or another of that name."""
        held = self._store.find("Pod", namespace_of(pod), name_of(pod))
        return held if held is not None and uid_of(held) == uid_of(pod) else None

    def _write(self, pod: Manifest, now: datetime) -> None:
        self._store.write(with_meta(pod, resourceVersion=None), now, MANAGER)


def _waits(reason: str, pod: Manifest, now: datetime, *, restarts: int = 0) -> Manifest:
    return kubelet.waiting(pod, now, reason, restarts)
