"""One simulated cluster: its objects, and the controllers that act on them.

Everything happens in `act`, which is told the time; between two calls nothing changes but by
whoever writes to the store. So a day can be lived through in a moment, and the same seed gives the
same day.
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from functools import partial
from random import Random

import structlog

from rollgraph.simulation.controller import measuring, rollouts, workloads
from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.controller.hashing import letters
from rollgraph.simulation.controller.kubelet import Fault, fault_of_pods
from rollgraph.simulation.controller.measuring import Measure
from rollgraph.simulation.controller.passes import Event, Family, Write
from rollgraph.simulation.controller.validation import analysis_templates
from rollgraph.simulation.manifests import (
    Manifest,
    annotations_of,
    controller_uid,
    hash_of,
    name_of,
    namespace_of,
    stamp,
    with_annotations,
    with_meta,
)
from rollgraph.simulation.node import Node, Pace
from rollgraph.simulation.store import HISTORY, Change, Key, Store
from rollgraph.simulation.timers import Timers

_log = structlog.get_logger(__name__)

MANAGER = "rollouts-controller"
WORKLOADS_MANAGER = "kube-controller-manager"
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
# Passes over one object at one time. A rollout that needs more would go in circles for ever.
MOST_PASSES = 100
# Until an object that could not be dealt with is looked at again: the others get their turn.
POSTPONED = timedelta(seconds=5)
# Events that are kept. A real cluster keeps those of an hour.
EVENTS = 2000

_SERVICES = {
    "canary": ("canaryService", "stableService"),
    "blueGreen": ("activeService", "previewService"),
}


class Cluster:
    """A cluster.

    Args:
        name: Its name.
        seed: What makes chance repeatable.
        pace: How long pods take.
        measure: What the metrics of analyses are; by default those of the canary's image.
        history: Changes of each kind that can be watched from again.

    Attributes:
        node: Where its pods run.
        postponed: How often an object could not be dealt with.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        *,
        pace: Pace | None = None,
        measure: Measure | None = None,
        history: int = HISTORY,
    ) -> None:
        self.name = name
        self.random = Random(f"{seed} {name}")
        self.store = Store(partial(self.random.randbytes, 16), history)
        self.timers = Timers()
        self.postponed = 0
        self._measure = measure if measure is not None else self._metric_of_image
        self.node = Node(
            self.store, self.timers, self.random, pace or Pace(nodes=(f"{name}-node-1",))
        )
        # Ordered sets: the same seed must give the same order.
        self._dirty: dict[tuple[str, Key], None] = {}
        self._asked_for: dict[tuple[str, Key], dict[Key, None]] = {}
        self._new_pods: deque[Key] = deque()
        self._events: deque[Key] = deque()
        self.store.listeners.append(self._note)

    def act(self, now: datetime) -> datetime | None:
        """Does all that is to be done by now; says when there will be more, None for never."""
        passes: Counter[tuple[str, Key]] = Counter()
        while True:
            while self._new_pods:
                self._try(("Pod", self._new_pods.popleft()), now)
            if self._dirty:
                item = next(iter(self._dirty))
                del self._dirty[item]
                passes[item] += 1
                if passes[item] > MOST_PASSES:
                    self._postpone(item, now, "it goes in circles")
                else:
                    self._try(item, now)
            elif not self.timers.fire(now) and not self._dirty and not self._new_pods:
                return self.timers.next

    def delete(self, kind: str, namespace: str, name: str, now: datetime) -> Manifest:
        """Deletes an object as a client does: a pod takes its time. Raises a 404."""
        held = self.store.get(kind, namespace, name)
        if kind == "Pod":
            self.node.end(held, now)
            return held
        return self.store.delete(kind, namespace, name)

    # -- what changed ----------------------------------------------------------------------------

    def _note(self, kind: str, change: Change) -> None:
        manifest, key = change.object, (namespace_of(change.object), name_of(change.object))
        if kind in ("Rollout", "ReplicaSet", "AnalysisRun") and change.type != "DELETED":
            self._dirty[(kind, key)] = None
        if kind == "Pod" and change.type == "ADDED":
            self._new_pods.append(key)
        for reference in manifest["metadata"].get("ownerReferences") or ():
            if reference["kind"] in ("Rollout", "ReplicaSet"):
                self._dirty[(reference["kind"], (key[0], reference["name"]))] = None
        for rollout in self._asked_for.get((kind, key), ()):
            self._dirty[("Rollout", rollout)] = None

    def _look_at(self, kind: str, key: Key, now: datetime) -> None:
        held = self.store.find(kind, *key)
        if held is None:
            return
        match kind:
            case "Rollout":
                self._rollout(held, key, now)
            case "ReplicaSet":
                pods = list(self.store.owned(held["metadata"]["uid"], "Pod"))
                suffix = lambda: letters(self.random.randbytes(5))  # noqa: E731
                self._do(workloads.reconcile(held, pods, now, suffix), now, WORKLOADS_MANAGER)
            case "Pod":
                self.node.begin(held, now)
            case "AnalysisRun":
                after, due = measuring.advance(held, now, self._measure)
                self.store.write(after, now, MANAGER)
                if due is not None:
                    self._again((kind, key), due)
            case _:
                raise AssertionError(f"nobody acts on a {kind}")

    def _again(self, item: tuple[str, Key], when: datetime) -> None:
        def wake(_: datetime) -> None:
            self._dirty[item] = None

        self.timers.at(when, wake)

    def _try(self, item: tuple[str, Key], now: datetime) -> None:
        """Looks at an object; whatever comes of it, the others get their turn.

        Nobody checks a schema here: a client can have written anything.
        """
        try:
            self._look_at(*item, now)
        except Exception as error:  # noqa: BLE001 - as a real controller recovers from a panic
            self._postpone(item, now, repr(error))

    def _postpone(self, item: tuple[str, Key], now: datetime, why: str) -> None:
        self.postponed += 1
        kind, (namespace, name) = item
        _log.warning("postponed", kind=kind, namespace=namespace, name=name, reason=why)
        self._again(item, now + POSTPONED)

    # -- rollouts --------------------------------------------------------------------------------

    def _rollout(self, held: Manifest, key: Key, now: datetime) -> None:
        workload = self._workload(held, key)
        if workload is not None:
            generation = str(workload["metadata"]["generation"])
            if annotations_of(held).get(WORKLOAD_GENERATION) != generation:
                noted = with_annotations(held, {WORKLOAD_GENERATION: generation})
                self.store.write(noted, now, MANAGER)
                return
        outcome = rollouts.reconcile(self._family(held, key, workload), now)
        self._do(outcome.writes, now, MANAGER)
        for event in outcome.events:
            self._tell(held, event, now)
        if outcome.again_at is not None:
            self._again(("Rollout", key), outcome.again_at)

    def _workload(self, held: Manifest, key: Key) -> Manifest | None:
        reference = held["spec"].get("workloadRef")
        if not reference or reference.get("kind") != "Deployment":
            return None
        return self._ask(key, "Deployment", reference["name"])

    def _family(self, held: Manifest, key: Key, workload: Manifest | None) -> Family:
        rollout = held
        if workload is not None:
            borrowed = {part: workload["spec"][part] for part in ("template", "selector")}
            rollout = {**held, "spec": {**held["spec"], **borrowed}}
        replica_sets = list(self.store.owned(held["metadata"]["uid"], "ReplicaSet"))
        pods = (
            pod
            for rs in replica_sets
            if held["spec"].get("restartAt")
            for pod in self.store.owned(rs["metadata"]["uid"], "Pod")
        )
        facts = Facts(rollout)
        services = {
            name
            for strategy, names in _SERVICES.items()
            for field in names
            if (name := ((held["spec"].get("strategy") or {}).get(strategy) or {}).get(field))
        }
        templates = {name for _, name in analysis_templates(facts)}
        return Family(
            rollout=rollout,
            replica_sets=replica_sets,
            pods=list(pods),
            runs=list(self.store.owned(held["metadata"]["uid"], "AnalysisRun")),
            services=self._found(key, "Service", services),
            templates=self._found(key, "AnalysisTemplate", templates),
        )

    def _found(self, key: Key, kind: str, names: set[str]) -> dict[str, Manifest]:
        found = {name: self._ask(key, kind, name) for name in sorted(names)}
        return {name: manifest for name, manifest in found.items() if manifest is not None}

    def _ask(self, rollout: Key, kind: str, name: str) -> Manifest | None:
        """An object that a rollout refers to; the rollout is looked at when it changes."""
        key = (rollout[0], name)
        self._asked_for.setdefault((kind, key), {})[rollout] = None
        return self.store.find(kind, *key)

    # -- what to do about it ---------------------------------------------------------------------

    def _do(self, writes: list[Write], now: datetime, manager: str) -> None:
        for write in writes:
            manifest = write.manifest
            kind, key = manifest["kind"], (namespace_of(manifest), name_of(manifest))
            match write.verb:
                case "create":
                    self.store.create(manifest, now, manager)
                case "delete":
                    self.delete(kind, *key, now)
                case "write" if self.store.find(kind, *key) is not None:
                    # One pass may write an object twice, each time all that it knows by then; and
                    # what it has deleted before is not to come back.
                    latest = with_meta(_unresolved(manifest), resourceVersion=None)
                    self.store.write(latest, now, manager)
                case "write":
                    pass

    def _tell(self, about: Manifest, event: Event, now: datetime) -> None:
        namespace, name = namespace_of(about), name_of(about)
        unique = f"{name}.{self.random.getrandbits(64):016x}"
        self.store.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": unique, "namespace": namespace},
                "involvedObject": {
                    "apiVersion": about["apiVersion"],
                    "kind": about["kind"],
                    "name": name,
                    "namespace": namespace,
                    "uid": about["metadata"]["uid"],
                    "resourceVersion": about["metadata"]["resourceVersion"],
                },
                "reason": event.reason,
                "message": event.message,
                "type": "Warning" if event.warning else "Normal",
                "source": {"component": MANAGER},
                "reportingComponent": MANAGER,
                "reportingInstance": "",
                "firstTimestamp": stamp(now),
                "lastTimestamp": stamp(now),
                "count": 1,
            },
            now,
            MANAGER,
        )
        self._events.append((namespace, unique))
        if len(self._events) > EVENTS:
            oldest = self._events.popleft()
            if self.store.find("Event", *oldest) is not None:
                self.store.delete("Event", *oldest)

    def _metric_of_image(self, run: Manifest, _: Manifest) -> float | None:
        """A share of requests that succeed: high, but for a canary whose image says otherwise."""
        owner = controller_uid(run)
        sets = (rs for rs in self.store.owned(owner, "ReplicaSet") if hash_of(rs) == hash_of(run))
        bad = any(fault_of_pods(rs["spec"]["template"]["spec"]) is Fault.ERRORS for rs in sets)
        low, high = (0.55, 0.9) if bad else (0.975, 1.0)
        return round(self.random.uniform(low, high), 4)


def _unresolved(manifest: Manifest) -> Manifest:
    """A rollout without what it borrows from its workload."""
    if manifest["kind"] != "Rollout" or "workloadRef" not in manifest["spec"]:
        return manifest
    borrowed = ("template", "selector")
    own = {part: value for part, value in manifest["spec"].items() if part not in borrowed}
    return {**manifest, "spec": own}
