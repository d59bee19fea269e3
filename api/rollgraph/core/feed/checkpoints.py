"""Where a spoke's watches go on, for whoever watches it next.

A view holds the objects that it was made of, so what a worker holds of a spoke is in the state of
its feed already. What is missing is how far each watch had come when that was all, and what belongs
to no rollout yet: that is a checkpoint, some hundred bytes however large the spoke is.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b

import msgspec

from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.objects.meta import KubeObject
from rollgraph.core.objects.workloads import Pod, ReplicaSet
from rollgraph.core.refs import Kind
from rollgraph.core.replicasets import ReplicaSetView
from rollgraph.core.view import RolloutView


class Reached(msgspec.Struct, frozen=True, gc=False):
    """How far one watch has come; `namespace` "" is all of them."""

    kind: Kind
    namespace: str
    resource_version: str


class Strays(msgspec.Struct, frozen=True, gc=False):
    """Objects whose rollout has not come yet: another watch is to bring it."""

    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()
    analysis_runs: tuple[AnalysisRun, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    events: tuple[KubeEvent, ...] = ()

    def __iter__(self) -> Iterator[KubeObject]:
        for objects in msgspec.structs.astuple(self):
            yield from objects


class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """What a feed's state is the state of.

    Attributes:
        shape: The `shape` of what was written; with another, something may be missing in it.
        server: See `ports.ListWatch.identity`; versions mean nothing to any other.
        namespaces: Those that were watched; empty means all.
        reached: How far the watches had come; those that are not here have to be listed.
        strays: What is in no view.
    """

    shape: str
    server: str
    namespaces: tuple[str, ...]
    reached: tuple[Reached, ...]
    strays: Strays = Strays()


class Inheritance(msgspec.Struct, frozen=True, gc=False):
    """What an earlier worker has left of a spoke: every rollout's view, and where to go on."""

    views: Sequence[RolloutView]
    checkpoint: Checkpoint | None


@cache
def shape() -> str:
    """The form of all that is kept of a spoke: another as soon as a field is.

    A view that was written before a field was known would be read without it, and look whole.
    """
    fields = msgspec.json.encode(
        msgspec.json.schema_components([RolloutView, Strays]), order="sorted"
    )
    return blake2b(fields, digest_size=8).hexdigest()


def why_not(found: Checkpoint | None, server: str, namespaces: tuple[str, ...]) -> str:
    """Why a checkpoint cannot be gone on from, for a person; "" if it can.

    Args:
        found: The checkpoint.
        server: The cluster that is watched; "" if it cannot be told.
        namespaces: Those that are to be watched.
    """
    if found is None:
        return "nobody has left how far its watches had come"
    if found.shape != shape():
        return "it was written by another version of Rollgraph"
    if not server or found.server != server:
        return "it is of another cluster of that name" if server else "the cluster cannot be told"
    if found.namespaces != namespaces:
        return "other namespaces were watched"
    if all(each.kind is not Kind.ROLLOUT for each in found.reached):
        return "rollouts were not being watched"
    return ""


def parts(view: RolloutView) -> Iterator[KubeObject]:
    """All objects that a view was made of, but the Deployment of a workloadRef."""
    yield view.rollout
    yield from view.events
    yield from _of_replica_sets(view.all_replica_sets)
    for run in view.all_analysis_runs:
        yield run.run
    for experiment in view.experiments:
        yield experiment.experiment


def _of_replica_sets(views: Iterable[ReplicaSetView]) -> Iterator[KubeObject]:
    for view in views:
        yield view.replica_set
        for pod in view.pods:
            yield pod.pod
