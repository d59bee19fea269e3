"""All reflectors of one spoke."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

import anyio

from rollgraph.core.feed.checkpoints import Reached
from rollgraph.core.refs import Kind
from rollgraph.ports import Clock, WatchObserver
from rollgraph.spokes.connection import Connection
from rollgraph.spokes.gate import Gate
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.reflector import Reflector
from rollgraph.spokes.signal import Signal
from rollgraph.spokes.store import Delivery
from rollgraph.spokes.watchstate import WatchState

ALWAYS = (
    Kind.ROLLOUT,
    Kind.REPLICA_SET,
    Kind.POD,
    Kind.ANALYSIS_RUN,
    Kind.EXPERIMENT,
    Kind.EVENT,
)
# Through what each kind belongs to a rollout: while a kind above it has not been read, an object
# may be in no view though it belongs to one.
ABOVE: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.ROLLOUT: (),
    Kind.EXPERIMENT: (Kind.ROLLOUT,),
    Kind.REPLICA_SET: (Kind.ROLLOUT, Kind.EXPERIMENT),
    Kind.ANALYSIS_RUN: (Kind.ROLLOUT, Kind.EXPERIMENT),
    Kind.POD: (Kind.ROLLOUT, Kind.EXPERIMENT, Kind.REPLICA_SET),
    Kind.EVENT: (Kind.ROLLOUT,),
}
# Seconds that a first projection waits for the other kinds after the rollouts are there. Without
# it each rollout would be shown without pods first, and made twice; with it a kind that cannot be
# read (no right, no answer) costs no more than this.
OTHERS_WITHIN = 2.0


class Informer:
    """Fills an inventory from a spoke, and knows how each of its watches fares.

    Args:
        connection: The way to the API server.
        inventory: Where the objects go.
        namespaces: Those to watch; empty means all, by one watch per kind.
        gate: Where full lists queue.
        clock: The time of day for the views.
        rng: Chance for the reflectors.
        changed: Called when a watch's state changed.
        observer: Hears how the watches fare.
    """

    def __init__(
        self,
        connection: Connection,
        inventory: Inventory,
        namespaces: Sequence[str],
        gate: Gate,
        clock: Clock,
        rng: Random,
        changed: Callable[[], None] = lambda: None,
        observer: WatchObserver | None = None,
    ) -> None:
        self._connection = connection
        self._inventory = inventory
        self._namespaces = tuple(namespaces) or ("",)
        self._gate = gate
        self._clock = clock
        self._rng = rng
        self._tell = changed
        self._observer = observer
        self._changed = Signal()
        self._reflectors = self._make(ALWAYS)
        self._deployments: list[Reflector] = []

    @property
    def watches(self) -> list[WatchState]:
        """The state of each watch, rollouts first."""
        return [reflector.state for reflector in [*self._reflectors, *self._deployments]]

    @property
    def has_synced(self) -> bool:
        """True once every rollout of the spoke has been read."""
        return all(w.synced for w in self.watches if w.kind is Kind.ROLLOUT)

    @property
    def reached(self) -> tuple[Reached, ...]:
        """How far the inventory is in step with each watch that needs no list.

        Without that of Deployments, which are in no view; and without those of whose owners a list
        is needed: whoever reads that has to be told of what it owns, too.
        """
        states = [reflector.state for reflector in self._reflectors]
        places = [(state.kind, state.namespace) for state in states]
        found = dict(zip(places, (each.reached for each in self._reflectors), strict=True))
        return tuple(
            reached
            for (kind, namespace), reached in found.items()
            if reached is not None
            and all(found[above, namespace] is not None for above in ABOVE[kind])
        )

    @property
    def in_step(self) -> bool:
        """Whether all that happens arrives: no watch that has begun stands still."""
        return all(each.state.connected for each in self._reflectors if each.reached is not None)

    def resume(self, reached: Sequence[Reached]) -> None:
        """The inventory has all up to there."""
        versions = {(each.kind, each.namespace): each.resource_version for each in reached}
        for reflector in self._reflectors:
            version = versions.get((reflector.state.kind, reflector.state.namespace))
            if version is not None:
                reflector.resume(version)

    async def run(self) -> None:
        """Watches until cancelled."""
        async with anyio.create_task_group() as tasks:
            for reflector in self._reflectors:
                tasks.start_soon(reflector.run)
            while True:
                await self._run_deployments()

    async def synced(self) -> None:
        """Returns once there is something to show: see `OTHERS_WITHIN`."""
        await self._changed.until(lambda: self.has_synced)
        with anyio.move_on_after(OTHERS_WITHIN):
            await self._changed.until(lambda: all(watch.settled for watch in self.watches))

    def wake(self, silent_since: float | None) -> None:
        """Lets every reflector know that the server answered: see `Reflector.wake`."""
        for reflector in [*self._reflectors, *self._deployments]:
            reflector.wake(silent_since)

    async def _run_deployments(self) -> None:
        """Watches Deployments while a rollout takes its template from one.

        They carry no label to select them by, so this is all Deployments of the spoke; most spokes
        need none.
        """
        inventory = self._inventory
        await inventory.needs_changed.until(lambda: inventory.needs_deployments)
        self._deployments = self._make([Kind.DEPLOYMENT])
        async with anyio.create_task_group() as tasks:
            for reflector in self._deployments:
                tasks.start_soon(reflector.run)
            await inventory.needs_changed.until(lambda: not inventory.needs_deployments)
            tasks.cancel_scope.cancel()
        self._deployments = []
        inventory.replace(Kind.DEPLOYMENT, [])
        self._notify()

    def _make(self, kinds: Sequence[Kind]) -> list[Reflector]:
        return [
            self._reflector(kind, namespace) for kind in kinds for namespace in self._namespaces
        ]

    def _reflector(self, kind: Kind, namespace: str) -> Reflector:
        state = WatchState(
            kind,
            namespace,
            self._clock,
            count=partial(self._inventory.count, kind, namespace),
            changed=self._notify,
            observer=self._observer,
        )
        shelf = Shelf(self._inventory, kind, namespace)
        return Reflector(state, self._connection, shelf, self._gate, self._rng)

    def _notify(self) -> None:
        self._changed.notify()
        self._tell()


class Shelf:
    """One kind's place in an inventory, of one namespace or all: a reflector's sink."""

    def __init__(self, inventory: Inventory, kind: Kind, namespace: str) -> None:
        self._inventory = inventory
        self._kind = kind
        self._namespace = namespace

    def apply(self, delivery: Delivery) -> None:
        """Takes in one object."""
        self._inventory.apply(self._kind, delivery)

    def replace(self, deliveries: Sequence[Delivery]) -> None:
        """Takes in a full list."""
        self._inventory.replace(self._kind, deliveries, self._namespace)
