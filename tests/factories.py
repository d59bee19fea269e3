"""Rollouts for tests, as short as a test can say what matters to it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rollgraph.core.objects.meta import Meta
from rollgraph.core.objects.rollout import PauseCondition, Rollout, RolloutStatus
from rollgraph.core.phase import Phase
from rollgraph.core.progress import Progress
from rollgraph.core.refs import RolloutRef
from rollgraph.core.replicasets import ContainerImage
from rollgraph.core.view import RolloutView, StrategyKind

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def rollout_view(
    ref: str = "prod-eu/shop/checkout",
    *,
    phase: Phase = Phase.HEALTHY,
    strategy: StrategyKind | None = StrategyKind.CANARY,
    images: Sequence[str] = ("ghcr.io/acme/checkout:1.4.2",),
    labels: Mapping[str, str] | None = None,
    aborted: bool = False,
    pauses: Sequence[str] = (),
    percent: int = 100,
    created_at: datetime | None = NOON,
    updated_at: datetime = NOON,
) -> RolloutView:
    """A view as a mirror holds it, without anything that belongs to the rollout.

    Args:
        ref: `cluster/namespace/name`.
        images: One container each.
        pauses: The reasons of its pause conditions.
    """
    cluster, namespace, name = ref.split("/")
    rollout = Rollout(
        metadata=Meta(
            name=name,
            namespace=namespace,
            uid=f"uid-{ref}",
            labels=None if labels is None else dict(labels),
            creation_timestamp=created_at,
        ),
        status=RolloutStatus(
            phase=phase.value,
            abort=aborted,
            pause_conditions=[PauseCondition(reason, NOON) for reason in pauses] or None,
        ),
    )
    return RolloutView(
        ref=RolloutRef(cluster, namespace, name),
        rollout=rollout,
        phase=phase,
        message="",
        strategy=strategy,
        steps=(),
        step_index=None,
        current_step=None,
        weights=None,
        progress=Progress(steps_total=0, steps_completed=0, percent=percent),
        replica_sets=(),
        analysis_runs=(),
        experiments=(),
        images=tuple(ContainerImage(f"c{n}", image) for n, image in enumerate(images)),
        updated_at=updated_at,
    )
