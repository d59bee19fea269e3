"""Lives of rollouts recorded on real control planes, as the views that Rollgraph makes of them."""

import json
from collections.abc import Sequence
from typing import Any

from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView, build_view
from testbed.record import recordings


def lives() -> dict[str, list[RolloutView]]:
    """The moments of each scenario, in the order in which they were lived."""
    found: dict[str, list[RolloutView]] = {}
    for recording in sorted(recordings(), key=lambda item: (item.recorded_at, item.name)):
        scenario = recording.name.partition("--")[0]
        view = view_of(recording.objects, recording.rollout)
        found.setdefault(scenario, []).append(view)
    return found


def view_of(objects: Sequence[dict[str, Any]], name: str) -> RolloutView:
    """What Rollgraph makes of the rollout of that name among some objects."""
    decoded = [kube_object(Kind(item["kind"]), _recorded(item)) for item in objects]
    (rollout,) = (
        item for item in decoded if isinstance(item, Rollout) and item.metadata.name == name
    )
    return build_view(
        "east",
        rollout,
        Belongings(
            replica_sets=[item for item in decoded if isinstance(item, ReplicaSet)],
            pods=[item for item in decoded if isinstance(item, Pod)],
            analysis_runs=[item for item in decoded if isinstance(item, AnalysisRun)],
            experiments=[item for item in decoded if isinstance(item, Experiment)],
            workload=next((item for item in decoded if isinstance(item, Deployment)), None),
        ),
    )


def _recorded(item: dict[str, Any]) -> bytes:
    """As the testbed records objects: without the writers."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return json.dumps({**item, "metadata": metadata}).encode()
