"""What belongs to one rollout: the objects that its view is built from."""

from collections.abc import Sequence

import msgspec

from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet


class Belongings(msgspec.Struct, frozen=True):
    """Everything a rollout owns, directly or through an experiment or ReplicaSet, in any order.

    Attributes:
        replica_sets: Those that the rollout or one of its experiments owns.
        pods: Those that one of `replica_sets` owns.
        analysis_runs: Those that the rollout or one of its experiments owns.
        experiments: Those that the rollout owns.
        events: Those about the rollout.
        workload: The Deployment that `spec.workloadRef` names, if it is one and exists.
    """

    replica_sets: Sequence[ReplicaSet] = ()
    pods: Sequence[Pod] = ()
    analysis_runs: Sequence[AnalysisRun] = ()
    experiments: Sequence[Experiment] = ()
    workload: Deployment | None = None
    events: Sequence[KubeEvent] = ()
