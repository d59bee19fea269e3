"""An actor over one simulated cluster, in virtual time and without HTTP; what can break, may."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel

from fakes.clock import LoopClock
from fakes.fleet import FakeSource
from rollgraph.acting.actor import Actor
from rollgraph.acting.arrivals import Arrivals
from rollgraph.acting.identities import Identities
from rollgraph.acting.patchers import Patchers
from rollgraph.acting.performing import Performer
from rollgraph.acting.repeats import Repeats
from rollgraph.acting.request import ActionRequest
from rollgraph.acting.tickets import Tickets
from rollgraph.adapters.memory import MemoryMirror, MemoryReceipts
from rollgraph.core.actions.action import Action
from rollgraph.core.actions.plan import Manifest, Patch, Resource
from rollgraph.core.audit import AuditEntry
from rollgraph.core.belongings import Belongings
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.errors import SpokeError, UnansweredError
from rollgraph.core.identity import OURSELVES, Identity
from rollgraph.core.objects import decode
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind, ObjectKey, RolloutRef
from rollgraph.core.refusals import refusal
from rollgraph.core.view import build_view
from rollgraph.ports import AccessQuestion, ListWatch, Receipts, Reviewed, Spoke
from rollgraph.simulation.apiserver.requests import Target
from rollgraph.simulation.apiserver.writing import Writes
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.node import AT_ONCE
from rollgraph.simulation.patching import merged
from rollgraph.simulation.problems import ApiError
from rollgraph.simulation.resources import BY_PATH

CLUSTER, NAMESPACE = "east", "shop"
STEPS: list[Manifest] = [
    {"setWeight": 20},
    {"pause": {}},
    {"setWeight": 40},
    {"pause": {}},
    {"setWeight": 60},
]
# What happens to one request: it is given what carries it out.
Happens: TypeAlias = Callable[[Callable[[], Manifest]], Awaitable[Manifest]]


class Stage:
    """One cluster with rollouts, its mirror, and an actor over it.

    Args:
        names: Rollouts, each paused at its first pause.

    Attributes:
        reacts: Whether the controller acts after each change, and the watch brings it.
        audit: What the audit was told.
    """

    def __init__(self, *names: str, **description: Any) -> None:
        self.clock = LoopClock()
        self.simulation = Cluster(CLUSTER, 1, pace=AT_ONCE)
        self.store = self.simulation.store
        self.mirror = MemoryMirror(self.clock)
        self.arrivals = Arrivals(self.mirror, self.mirror)
        self.patcher = StorePatcher(self)
        self.patchers = Patchers()
        self.reacts = True
        self.opened = 0
        self.audit: list[AuditEntry] = []
        self._description = description
        # Nobody relies on its watch: everything is read first, unless a test says otherwise.
        self.connection(ConnectionStatus.SYNCING)
        for name in names:
            self.add(name)

    def connection(self, status: ConnectionStatus) -> None:
        """The watch of the cluster is in this state."""
        self.arrivals.put_cluster(ClusterView(CLUSTER, status, self.clock.now()))

    async def actor(
        self, identities: Identities | None = None, receipts: Receipts | None = None
    ) -> Actor:
        """Somebody who acts on it."""
        spoke = Spoke(CLUSTER, "1", self._watch, open_patcher=self.open, **self._description)
        async with self.patchers.follow(FakeSource(spoke)).watch() as answers:
            async for _ in answers:
                break
            performer = Performer(
                self.patchers,
                identities or Identities(),
                self.arrivals,
                self.mirror,
                self.clock,
                Random(1),
            )
        await self.patchers.settle([spoke])
        repeats = Repeats(receipts or MemoryReceipts(), self.clock)
        return Actor(self.mirror, performer, repeats, Tickets(self.clock), self.audit.append)

    def add(self, name: str, steps: Sequence[Manifest] = STEPS) -> None:
        """A rollout whose second version is paused at the first pause."""
        labels = {"app": name}
        container = {"name": "web", "image": "web:1"}
        # Without a scheduler pods run where their template says.
        spec = {"containers": [container], "nodeName": "node"}
        template = {"metadata": {"labels": labels}, "spec": spec}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "replicas": 5,
                "selector": {"matchLabels": labels},
                "template": template,
                "strategy": {"canary": {"steps": list(steps)}},
            },
        }
        self.store.create(manifest, self.clock.now(), "kubectl")
        self.react()
        self.new_version(name, "web:2")
        self.react()

    def new_version(self, name: str, image: str) -> None:
        """Somebody sets another image."""
        template = self.rollout(name)["spec"]["template"]
        containers = [{**template["spec"]["containers"][0], "image": image}]
        change = {"spec": {"template": {"spec": {"containers": containers}}}}
        self.change(name, change)

    def change(self, name: str, change: Manifest) -> None:
        """Somebody writes."""
        held = self.rollout(name)
        self.store.write(merged(held, change), self.clock.now(), "kubectl")

    def rollout(self, name: str) -> Manifest:
        """A rollout as it is on the cluster."""
        return self.store.get("Rollout", NAMESPACE, name)

    def step(self, name: str) -> int:
        """How many of its steps are done."""
        return int(self.rollout(name)["status"]["currentStepIndex"])

    def react(self) -> None:
        """The controller does what is to be done, and the watch brings it."""
        self.simulation.act(self.clock.now())
        self.publish()

    def publish(self) -> None:
        """The watch brings what there is."""
        for manifest in self.store.items("Rollout"):
            raw = json.dumps(manifest).encode()
            found = decode.kube_object(Kind.ROLLOUT, raw)
            assert isinstance(found, Rollout)
            self.arrivals.put_rollout(build_view(CLUSTER, found, Belongings()))

    async def open(self) -> "StorePatcher":
        """Opens the cluster to be changed."""
        self.opened += 1
        return self.patcher

    async def _watch(self) -> ListWatch:
        raise AssertionError("nobody watches here")


class StorePatcher:
    """A `ports.Patcher` on a simulated cluster's store.

    Attributes:
        asked: Each request: its verb and what it is about.
        identities: As whom each was made.
        on_patch: What happens to the next patches, once each.
        on_get: What happens to the next reads, once each.
        allowed: What is answered to who asks what is allowed; by default everything is.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._writes = Writes(stage.simulation, stage.clock.now)
        self.asked: list[tuple[str, str]] = []
        self.identities: list[Identity] = []
        self.on_patch: deque[Happens] = deque()
        self.on_get: deque[Happens] = deque()
        self.allowed: Callable[[AccessQuestion], bool] = lambda _: True
        self.questions: list[AccessQuestion] = []
        self.events: list[Manifest] = []
        self.closed = False

    @property
    def verbs(self) -> list[str]:
        """The verbs of the requests, in order."""
        return [verb for verb, _ in self.asked]

    async def get(
        self, resource: Resource, key: ObjectKey, *, as_: Identity = OURSELVES
    ) -> Manifest:
        """See `ports.Patcher`."""
        target = _target(resource, key)
        store = self._stage.store
        return await self._do(
            ("get", str(key)),
            as_,
            self.on_get,
            lambda: store.get(target.resource.kind, key.namespace, key.name),
        )

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        selector: str = "",
        as_: Identity = OURSELVES,
    ) -> Sequence[Manifest]:
        """See `ports.Patcher`; selects nothing."""
        self.asked.append(("list", resource.value))
        await anyio.lowlevel.checkpoint()
        return self._stage.store.items(
            _target(resource, ObjectKey("", "")).resource.kind, namespace
        )

    async def patch(
        self,
        patch: Patch,
        *,
        resource_version: str = "",
        dry_run: bool = False,
        as_: Identity = OURSELVES,
    ) -> Manifest:
        """See `ports.Patcher`."""
        target = _target(patch.resource, patch.key, patch.subresource)

        def carry_out() -> Manifest:
            body: Any = patch.body
            if isinstance(body, dict):
                version = {"metadata": {"resourceVersion": resource_version}}
                body = merged(body, version)
            else:
                path = "/metadata/resourceVersion"
                body = [{"op": "replace", "path": path, "value": resource_version}, *body]
            raw = json.dumps(body).encode()
            return self._writes.patch(target, raw, patch.type, "rollgraph", dry_run=dry_run)

        verb = "try" if dry_run else "patch"
        part = f"{patch.key}/{patch.subresource}" if patch.subresource else str(patch.key)
        return await self._do((verb, part), as_, self.on_patch, carry_out)

    async def create_event(self, event: Manifest, *, as_: Identity = OURSELVES) -> None:
        """See `ports.Patcher`."""
        await anyio.lowlevel.checkpoint()
        self.events.append(event)

    async def may(self, question: AccessQuestion, *, as_: Identity = OURSELVES) -> bool:
        """See `ports.Patcher`."""
        await anyio.lowlevel.checkpoint()
        self.questions.append(question)
        return self.allowed(question)

    async def review(self, token: str, audiences: Sequence[str]) -> Reviewed | None:
        """See `ports.Patcher`; knows nobody."""
        await anyio.lowlevel.checkpoint()
        return None

    async def close(self) -> None:
        """See `ports.Patcher`."""
        self.closed = True

    async def _do(
        self,
        what: tuple[str, str],
        as_: Identity,
        faults: deque[Happens],
        carry_out: Callable[[], Manifest],
    ) -> Manifest:
        self.asked.append(what)
        self.identities.append(as_)
        await anyio.lowlevel.checkpoint()

        def translated() -> Manifest:
            try:
                return carry_out()
            except ApiError as error:
                status = decode.status(json.dumps(error.status()).encode())
                raise refusal(error.code, status) from error

        happens = faults.popleft() if faults else _as_it_should
        try:
            return await happens(translated)
        finally:
            if self._stage.reacts and what[0] == "patch":
                self._stage.react()


def acting(name: str, action: Action, **rest: Any) -> ActionRequest:
    """A request for one of the stage's rollouts."""
    return ActionRequest(RolloutRef(CLUSTER, NAMESPACE, name), action, **rest)


async def _as_it_should(carry_out: Callable[[], Manifest]) -> Manifest:
    return carry_out()


async def lost(carry_out: Callable[[], Manifest]) -> Manifest:
    """It is carried out, but the answer never comes."""
    carry_out()
    raise UnansweredError("the connection broke")


async def swallowed(_: Callable[[], Manifest]) -> Manifest:
    """It is sent, but never carried out, and nobody says so."""
    raise UnansweredError("the connection broke")


async def silent(_: Callable[[], Manifest]) -> Manifest:
    """Nothing ever comes back."""
    await anyio.sleep_forever()
    raise AssertionError


def failing(error: SpokeError) -> Happens:
    """It fails."""

    async def happens(_: Callable[[], Manifest]) -> Manifest:
        raise error

    return happens


def after(somebody: Callable[[], object]) -> Happens:
    """Somebody else does something just before."""

    async def happens(carry_out: Callable[[], Manifest]) -> Manifest:
        somebody()
        return carry_out()

    return happens


def _target(resource: Resource, key: ObjectKey, part: str = "") -> Target:
    plural, _, group = resource.partition(".")
    version = {"argoproj.io": "argoproj.io/v1alpha1", "apps": "apps/v1", "": "v1"}[group]
    return Target(BY_PATH[version, plural], key.namespace, key.name, part)
