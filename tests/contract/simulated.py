"""A stage for the testbed's scenarios on a simulated cluster, in virtual time and without HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from rollgraph.simulation import person
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.node import AT_ONCE
from rollgraph.simulation.patching import merged
from testbed.record import KINDS
from testbed.scenarios import Scenario, Stage

NAMESPACE = "stage"
START = datetime(2026, 1, 1, tzinfo=UTC)
# Seconds: as in the testbed, nothing is to have changed for so long.
QUIET = 0.5
LONGEST = 120.0


class Metrics:
    """What the metrics' providers answer."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}

    def url(self, name: str) -> str:
        """What a provider asks."""
        return f"http://127.0.0.1/{name}"

    def set(self, name: str, value: float) -> None:
        """Answers this from now on."""
        self._values[name] = value

    def unset(self, name: str) -> None:
        """Answers nothing any more."""
        self._values.pop(name, None)

    def measure(self, _: Manifest, metric: Manifest) -> float | None:
        """A measurement."""
        return self._values.get(urlsplit(metric["provider"]["web"]["url"]).path.lstrip("/"))


class Plugin:
    """Acts on the stage's rollout as the kubectl plugin does: `plugin("promote", "--full")`."""

    def __init__(self, stage: "SimulatedStage") -> None:
        self._stage = stage

    def __call__(self, *args: str) -> None:
        """A command without the rollout's name."""
        stage = self._stage
        rollout, store, now = stage.found(), stage.store, stage.now
        match args:
            case ["undo"]:
                store.write(person.undo(store, rollout), now, person.MANAGER)
                return
            case ["restart"]:
                patches: Iterator[person.Patch] = iter([person.restart(now)])
            case ["promote", "--full"]:
                patches = person.promote_fully(rollout)
            case [verb]:
                patches = getattr(person, verb)(rollout)
            case _:
                raise AssertionError(args)
        for patch in patches:
            person.apply(store, rollout, patch, now)

    def run(self, verb: str, *_: str, namespace: str) -> None:
        """A command as one types it; it is always this rollout that is meant."""
        assert namespace == self._stage.namespace
        self(verb)


class SimulatedStage:
    """The moves of `testbed.scenarios.Stage`; waiting lets virtual time pass."""

    def __init__(self, rollout: str) -> None:
        self.metrics = Metrics()
        self.simulation = Cluster("east", 1, pace=AT_ONCE, measure=self.metrics.measure)
        self.store = self.simulation.store
        self.rollout = rollout
        self.namespace = NAMESPACE
        self.now = START
        # As scripts have them.
        self.cluster = self
        self.spoke = self
        self.plugin = Plugin(self)
        self.due = self.simulation.act(self.now)

    # -- moves ---------------------------------------------------------------------------------

    def apply(self, *manifests: Manifest) -> None:
        """Creates objects."""
        for manifest in manifests:
            metadata = {**manifest["metadata"], "namespace": self.namespace}
            self.store.create({**manifest, "metadata": metadata}, self.now, "testbed")

    def patch(self, *args: Any, kind: str = "Rollout", sub: str = "") -> None:
        """Stage's patch of a spec, and Cluster's patch(kind, name, patch, namespace)."""
        name, body = self.rollout, {"spec": args[0]}
        if len(args) > 1:
            kind, name, body = args[:3]
        held = self.store.get(kind, self.namespace, name)
        self.store.write(merged(held, body), self.now, "testbed")
        assert sub in ("", "status")

    set_image = Stage.set_image

    # -- waits ---------------------------------------------------------------------------------

    def found(self) -> Manifest:
        """The rollout as it is now."""
        return self.store.get("Rollout", self.namespace, self.rollout)

    def wait(self, condition: Callable[[Manifest], bool], what: str) -> Manifest:
        """Lets time pass until the last change is observed and a condition holds."""

        def reached() -> bool:
            found = self.found()
            observed = found.get("status", {}).get("observedGeneration")
            return observed == str(found["metadata"]["generation"]) and condition(found)

        self._pass(reached, what)
        return self.found()

    wait_phase = Stage.wait_phase
    wait_step = Stage.wait_step

    def wait_any(self, kind: str, condition: Callable[[Manifest], bool], what: str) -> None:
        """Lets time pass until a condition holds of some object of a kind."""
        self._pass(lambda: any(map(condition, self.store.items(kind))), what)

    def settle(self) -> None:
        """Lets time pass until nothing changes for half a second."""
        self.due = self.simulation.act(self.now)
        while self.due is not None and self.due <= self.now + timedelta(seconds=QUIET):
            self._skip()

    def _pass(self, reached: Callable[[], bool], what: str) -> None:
        end = self.now + timedelta(seconds=LONGEST)
        self.due = self.simulation.act(self.now)
        while not reached():
            assert self.due is not None, f"{what}: nothing will happen: {self.found()['status']}"
            assert self.due <= end, f"{what}: not reached: {self.found()['status']}"
            self._skip()

    def _skip(self) -> None:
        assert self.due is not None
        self.now = self.due
        self.due = self.simulation.act(self.now)

    def objects(self) -> list[Manifest]:
        """All objects that Rollgraph looks at."""
        return [found for kind in KINDS for found in self.store.items(kind, self.namespace)]

    def list(self, kind: str, namespace: str) -> list[Manifest]:
        """The objects of a kind."""
        return self.store.items(kind, namespace)


def play(scenario: Scenario) -> Iterator[tuple[str, SimulatedStage]]:
    """Each moment of a scenario, when all stands still."""
    stage = SimulatedStage(scenario.name)
    for moment in scenario.script(cast(Stage, stage)):
        stage.settle()
        yield moment, stage
