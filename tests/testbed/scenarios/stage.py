"""Where a scenario plays: a namespace of a spoke, and the moves that a script makes on it."""

import contextlib
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from testbed.cluster import Cluster, Object
from testbed.deadline import wait_until
from testbed.metrics import Metrics, metrics_server
from testbed.scenarios.manifests import pod_spec
from testbed.spoke import Spoke

QUIET_SECONDS = 0.5  # nothing changed for so long: the controllers have no more to do
SETTLE_SECONDS = 30.0
WATCHED = ("Rollout", "ReplicaSet", "Pod", "AnalysisRun", "Experiment")


@dataclass(frozen=True)
class Moment:
    """A point in a rollout's life at which everything stands still, to compare at."""

    scenario: str
    name: str
    """Such as ``paused at 20 %``; distinct within its scenario."""
    spoke: Spoke
    namespace: str
    rollout: str


class Stage:
    """The moves of a script: every one waits for nothing, the ``wait`` ones wait."""

    def __init__(self, spoke: Spoke, namespace: str, rollout: str, metrics: Metrics) -> None:
        self.spoke = spoke
        self.cluster: Cluster = spoke.cluster()
        self.namespace = namespace
        self.rollout = rollout
        self.metrics = metrics

    # -- moves ---------------------------------------------------------------------------------

    def apply(self, *manifests: Object) -> None:
        """Apply manifests in the scenario's namespace."""
        for manifest in manifests:
            metadata = {**manifest["metadata"], "namespace": self.namespace}
            self.cluster.apply({**manifest, "metadata": metadata})

    def patch(self, spec: Object, kind: str = "Rollout", name: str = "") -> Object:
        """Merge-patch the spec of an object, by default of the rollout."""
        return self.cluster.patch(kind, name or self.rollout, {"spec": spec}, self.namespace)

    def set_image(self, tag: str, *, stuck: bool = False) -> None:
        """Change the pod template: a new revision, whose pods never start when ``stuck``."""
        self.patch({"template": {"spec": pod_spec(tag, stuck=stuck)}})

    def plugin(self, *args: str) -> str:
        """Act as a person does: ``plugin("promote")``; the rollout's name is added."""
        command, *flags = args
        return self.spoke.plugin.run(command, self.rollout, *flags, namespace=self.namespace)

    # -- waits ---------------------------------------------------------------------------------

    def wait(self, condition: Callable[[Object], bool], what: str) -> Object:
        """Wait until the rollout's last change is observed and ``condition`` holds of it."""
        return self.cluster.wait_for(
            "Rollout",
            self.rollout,
            lambda found: _observed(found) and condition(found),
            self.namespace,
            what=what,
        )

    def wait_phase(self, phase: str, message: str | None = None) -> Object:
        """Wait for the phase, and for the beginning of its message when that is given."""

        def reached(found: Object) -> bool:
            status = found["status"]
            says: str = status.get("message", "")
            right_message = message is None or says.startswith(message)
            return bool(status.get("phase") == phase and right_message)

        return self.wait(reached, f"phase {phase} {message or ''}".rstrip())

    def wait_step(self, index: int, phase: str = "Paused") -> Object:
        """Wait until ``index`` steps are done and the rollout is in that phase."""

        def reached(found: Object) -> bool:
            status = found["status"]
            return bool(status.get("currentStepIndex") == index and status.get("phase") == phase)

        return self.wait(reached, f"step {index}, phase {phase}")

    def wait_any(self, kind: str, condition: Callable[[Object], bool], what: str) -> None:
        """Wait until ``condition`` holds of some object of that kind in the namespace."""

        def check() -> str | None:
            found = self.cluster.list(kind, self.namespace)
            if any(condition(f) for f in found):
                return None
            return f"{len(found)} of them: {[f.get('status') for f in found]}"

        wait_until(check, seconds=SETTLE_SECONDS, what=f"{what} of a {kind} in {self.namespace}")

    def settle(self) -> None:
        """Wait until no object of the scenario has changed for half a second."""
        settle(self)

    def fingerprint(self) -> list[str]:
        """Every object of the scenario with its version."""
        return [
            f"{kind}/{found['metadata']['name']}@{found['metadata']['resourceVersion']}"
            for kind in WATCHED
            for found in self.cluster.list(kind, self.namespace)
        ]


def settle(*stages: Stage) -> None:
    """Wait until no object of these scenarios has changed for half a second."""
    last: list[str] = []
    since = time.monotonic()

    def check() -> str | None:
        nonlocal last, since
        now = [line for stage in stages for line in stage.fingerprint()]
        if now != last:
            last, since = now, time.monotonic()
        still = time.monotonic() - since
        return None if still >= QUIET_SECONDS else "objects still change"

    names = ", ".join(stage.namespace for stage in stages)
    wait_until(check, seconds=SETTLE_SECONDS, what=f"quiet in {names}")


Script = Callable[[Stage], Iterator[str]]
"""Drives a rollout and yields the name of each moment once it has come."""


@dataclass(frozen=True)
class Scenario:
    """A rollout's life. ``name`` is also the rollout's name."""

    name: str
    about: str
    script: Script

    def play(self, spoke: Spoke, namespace: str = "") -> Generator[Moment]:
        """Live it through; at each moment yielded all stands still until the next is asked for.

        It plays in a namespace of its own, which is deleted at the end, and when the generator is
        closed before.

        Raises:
            NotReachedError: a moment did not come.
        """
        namespace = spoke.namespace(namespace or f"{self.name}-{secrets.token_hex(3)}")
        with contextlib.ExitStack() as stack:
            stack.callback(spoke.cluster().delete, "Namespace", namespace)
            metrics = stack.enter_context(metrics_server())
            stage = Stage(spoke, namespace, self.name, metrics)
            for moment in self.script(stage):
                stage.settle()
                yield Moment(self.name, moment, spoke, namespace, self.name)


def _observed(found: Object) -> bool:
    observed = found.get("status", {}).get("observedGeneration")
    return bool(observed == str(found["metadata"]["generation"]))
