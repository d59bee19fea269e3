"""All objects of one spoke, and which rollout each belongs to."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from rollgraph.core.belongings import Belongings
from rollgraph.core.feed.checkpoints import Strays
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.decode import TYPES
from rollgraph.core.objects.event import MAX_EVENTS, KubeEvent
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.spokes.dirty import DirtyKeys
from rollgraph.spokes.signal import Signal
from rollgraph.spokes.store import Change, Delivery, Store, key_of
from rollgraph.spokes.strays import MOST, StrayKeys
from rollgraph.spokes.transitions import Transitions

_KINDS = {type_: kind for kind, type_ in TYPES.items()}

# Called for every change, in the order of deliveries, before anything else runs. It must not raise
# and must not be slow: the reader of the watch stands still meanwhile.
Listener: TypeAlias = Callable[[Kind, Change], None]


class Inventory:
    """The stores of one spoke's kinds, kept in step with `dirty`, the rollouts to look at again.

    `transitions` are the states of rollouts to show before that, each of which also is in `dirty`.

    Args:
        listener: Is told every change of every kind; a state that lasts a few milliseconds is
            still told, unlike through `dirty`.

    Attributes:
        needs_changed: Notified when `needs_deployments` changes.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self.dirty = DirtyKeys()
        self.transitions = Transitions()
        self.rollouts: Store[Rollout] = Store()
        self._replica_sets: Store[ReplicaSet] = Store()
        self._pods: Store[Pod] = Store()
        self._runs: Store[AnalysisRun] = Store()
        self._experiments: Store[Experiment] = Store()
        self._deployments: Store[Deployment] = Store()
        self._events: Store[KubeEvent] = Store()
        self._workloads = Workloads()
        self._strays = StrayKeys()
        self.needs_changed = Signal()
        self._listener = listener
        self._stores: dict[Kind, Store[Any]] = {
            Kind.ROLLOUT: self.rollouts,
            Kind.REPLICA_SET: self._replica_sets,
            Kind.POD: self._pods,
            Kind.ANALYSIS_RUN: self._runs,
            Kind.EXPERIMENT: self._experiments,
            Kind.DEPLOYMENT: self._deployments,
            Kind.EVENT: self._events,
        }

    @property
    def needs_deployments(self) -> bool:
        """True while some rollout takes its pod template from a Deployment."""
        return bool(self._workloads)

    def count(self, kind: Kind, namespace: str = "") -> int:
        """How many objects of a kind are held."""
        store = self._stores[kind]
        return len(store.keys(namespace)) if namespace else len(store)

    @property
    def shown(self) -> bool:
        """True while no rollout has to be looked at again."""
        return not len(self.dirty) and not len(self.transitions)

    def seed(self, objects: Iterable[KubeObject]) -> None:
        """Holds objects that were shown before: no rollout has to be looked at for them."""
        for obj in objects:
            change = self._stores[_KINDS[type(obj)]].apply(Delivery(obj))
            if change is not None and isinstance(obj, Rollout):
                self._workloads.follow(change)

    def seed_strays(self, strays: Strays) -> None:
        """Holds objects that came before their rollout, and still wait for it."""
        self.seed(strays)
        for obj in strays:
            self._strays.note(_KINDS[type(obj)], key_of(obj))

    def strays(self) -> Strays | None:
        """What came lately and belongs to no rollout yet; None if that is too much to tell."""
        if len(self._strays) > MOST:
            return None
        self._strays.settle(self._has_settled)
        found: dict[Kind, list[Any]] = {}
        for kind, key in self._strays:
            found.setdefault(kind, []).append(self._stores[kind].get(key))
        return Strays(
            replica_sets=tuple(found.get(Kind.REPLICA_SET, ())),
            pods=tuple(found.get(Kind.POD, ())),
            analysis_runs=tuple(found.get(Kind.ANALYSIS_RUN, ())),
            experiments=tuple(found.get(Kind.EXPERIMENT, ())),
            events=tuple(found.get(Kind.EVENT, ())),
        )

    def age(self) -> None:
        """Some seconds have passed."""
        self._strays.age()

    def apply(self, kind: Kind, delivery: Delivery) -> None:
        """Takes in one delivered object."""
        change = self._stores[kind].apply(delivery)
        if change is not None:
            self._note(kind, change)

    def replace(self, kind: Kind, deliveries: Iterable[Delivery], namespace: str = "") -> None:
        """Takes in a full list; see `Store.replace`."""
        for change in self._stores[kind].replace(deliveries, namespace):
            self._note(kind, change)

    def belongings(self, rollout: Rollout) -> Belongings:
        """All that belongs to a rollout."""
        uid = rollout.metadata.uid
        experiments = self._experiments.owned_by(uid)
        owners = [uid, *(experiment.metadata.uid for experiment in experiments)]
        replica_sets = _all_owned(self._replica_sets, owners)
        return Belongings(
            replica_sets=replica_sets,
            pods=_all_owned(self._pods, [rs.metadata.uid for rs in replica_sets]),
            analysis_runs=_all_owned(self._runs, owners),
            experiments=experiments,
            workload=self._workload(rollout),
            events=self._events.owned_by(uid),
        )

    def owners(self, kind: Kind, obj: KubeObject) -> list[ObjectKey]:
        """The rollouts whose view an object is part of.

        None as long as an object between them has not arrived: its own arrival will tell.
        """
        match kind:
            case Kind.ROLLOUT:
                return [key_of(obj)]
            case Kind.EVENT:
                about = [self.rollouts.with_uid(uid) for uid in obj.metadata.owner_uids]
                return [key_of(rollout) for rollout in about if rollout is not None]
            case Kind.DEPLOYMENT:
                return self._workloads.borrowers(key_of(obj))
            case Kind.POD:
                sets = [self._replica_sets.with_uid(uid) for uid in obj.metadata.owner_uids]
                uids = [uid for rs in sets if rs is not None for uid in rs.metadata.owner_uids]
                return self._rollouts_above(uids)
            case Kind.REPLICA_SET | Kind.ANALYSIS_RUN | Kind.EXPERIMENT:
                return self._rollouts_above(obj.metadata.owner_uids)

    def _has_settled(self, kind: Kind, key: ObjectKey) -> bool:
        obj = self._stores[kind].get(key)
        return obj is None or bool(self.owners(kind, obj))

    def _rollouts_above(self, uids: Sequence[str]) -> list[ObjectKey]:
        """The rollouts that have one of the uids, or own an experiment that has."""
        found = []
        for uid in uids:
            experiment = self._experiments.with_uid(uid)
            above = experiment.metadata.owner_uids if experiment is not None else (uid,)
            rollouts = [self.rollouts.with_uid(each) for each in above]
            found += [key_of(rollout) for rollout in rollouts if rollout is not None]
        return found

    def _workload(self, rollout: Rollout) -> Deployment | None:
        named = _deployment_of(rollout)
        return None if named is None else self._deployments.get(named)

    def _forget_oldest(self, event: KubeEvent) -> None:
        """Keeps as many events about a rollout as its view shows."""
        for uid in event.metadata.owner_uids:
            held = self._events.owned_by(uid)
            if len(held) > MAX_EVENTS:
                self._events.delete(key_of(min(held, key=lambda item: item.age_key)))

    def _note(self, kind: Kind, change: Change) -> None:
        """Marks the rollouts that a change touches: those it left behind, too."""
        if kind is Kind.ROLLOUT:
            needed = self.needs_deployments
            self.transitions.note(change)
            self._workloads.follow(change)
            if needed is not self.needs_deployments:
                self.needs_changed.notify()
        if isinstance(change.new, KubeEvent):
            self._forget_oldest(change.new)
        for obj in (change.old, change.new):
            if obj is not None:
                owners = self.owners(kind, obj)
                self.dirty.mark(owners)
                if not owners and change.old is None and kind is not Kind.DEPLOYMENT:
                    self._strays.note(kind, change.key)
        if self._listener is not None:
            self._listener(kind, change)


class Workloads:
    """Which rollouts borrow the pod template of which Deployment."""

    def __init__(self) -> None:
        self._borrowers: dict[ObjectKey, dict[ObjectKey, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._borrowers)

    def borrowers(self, deployment: ObjectKey) -> list[ObjectKey]:
        """The rollouts whose workloadRef names a Deployment, there or not."""
        return list(self._borrowers.get(deployment, ()))

    def follow(self, change: Change) -> None:
        """Takes in a change of a rollout."""
        if isinstance(change.old, Rollout) and (named := _deployment_of(change.old)) is not None:
            borrowers = self._borrowers.get(named, {})
            borrowers.pop(change.key, None)
            if not borrowers:
                self._borrowers.pop(named, None)
        if isinstance(change.new, Rollout) and (named := _deployment_of(change.new)) is not None:
            self._borrowers.setdefault(named, {})[change.key] = None


def _deployment_of(rollout: Rollout) -> ObjectKey | None:
    """The Deployment that a rollout's workloadRef names, if it is one."""
    ref = rollout.spec.workload_ref
    if ref is None or ref.kind != Kind.DEPLOYMENT or not ref.name:
        return None
    return ObjectKey(rollout.metadata.namespace, ref.name)


def _all_owned(store: Store[Any], uids: Iterable[str]) -> list[Any]:
    """What any of the uids owns, each object once."""
    found = {id(obj): obj for uid in uids for obj in store.owned_by(uid)}
    return list(found.values())
