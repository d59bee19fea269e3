"""How far an update has come."""

from collections.abc import Sequence

import msgspec

from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.phase import Phase
from rollgraph.core.replicasets import ReplicaSetView
from rollgraph.core.waiting import Waiting


class Progress(msgspec.Struct, frozen=True, gc=False):
    """How far an update has come.

    Attributes:
        steps_total: 0 for blue-green, and for a canary without steps.
        percent: 0 to 100; by steps where there are some, else by available pods of the new
            template. 100 means promoted and healthy.
    """

    steps_total: int
    steps_completed: int
    percent: int
    waiting: Waiting | None = None


def progress(
    rollout: Rollout,
    phase: Phase,
    step_index: int | None,
    steps_total: int,
    replica_sets: Sequence[ReplicaSetView],
    waiting: Waiting | None,
) -> Progress:
    """Derives the progress of an update; an aborted one is back at 0."""
    completed = 0 if rollout.status.abort else min(step_index or 0, steps_total)
    return Progress(
        steps_total=steps_total,
        steps_completed=completed,
        percent=_percent(rollout, phase, completed, steps_total, replica_sets),
        waiting=waiting,
    )


def _percent(
    rollout: Rollout,
    phase: Phase,
    completed: int,
    total: int,
    replica_sets: Sequence[ReplicaSetView],
) -> int:
    if rollout.status.abort:
        return 0
    if phase is Phase.HEALTHY and rollout.fully_promoted:
        return 100
    if total:
        share = 100 * completed // total
    else:
        share = 100 * _available(rollout, replica_sets) // max(rollout.desired, 1)
    return max(0, min(share, 99))  # 100 is for what is promoted


def _available(rollout: Rollout, replica_sets: Sequence[ReplicaSetView]) -> int:
    current = rollout.status.current_pod_hash
    return sum(
        view.replica_set.status.available_replicas
        for view in replica_sets
        if view.replica_set.pod_template_hash == current
    )
