"""Rollouts counted by what they have in common, for tiles and panels."""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum

import strawberry

from rollgraph.core.phase import Phase
from rollgraph.core.view import RolloutView, StrategyKind
from rollgraph.schema.context import Context
from rollgraph.schema.described import enum
from rollgraph.schema.inputs import RolloutFilter
from rollgraph.schema.types.cluster import environment

# A key of a group: texts and enums, None where a rollout has nothing of the kind.
_Group = tuple[str | None, ...]


class RolloutGroupKey(StrEnum):
    """What rollouts can be grouped by; the value is the bucket's field."""

    CLUSTER = "cluster"
    NAMESPACE = "namespace"
    PHASE = "phase"
    STRATEGY = "strategy"
    ENVIRONMENT = "environment"


enum(
    RolloutGroupKey,
    "RolloutGroupKey",
    "What rollouts can be grouped by.",
    {
        "CLUSTER": "The cluster's name.",
        "NAMESPACE": "The namespace, whatever the cluster.",
        "PHASE": "The phase.",
        "STRATEGY": "The strategy.",
        "ENVIRONMENT": "The environment of the cluster, if a label says.",
    },
)


@strawberry.type(description="Rollouts that have all grouped-by keys in common.")
class RolloutSummaryBucket:
    """Rollouts that have all grouped-by keys in common."""

    count: int = strawberry.field(description="How many there are.")
    cluster: str | None = strawberry.field(
        description="The cluster, if grouped by it.", default=None
    )
    namespace: str | None = strawberry.field(
        description="The namespace, if grouped by it.", default=None
    )
    phase: Phase | None = strawberry.field(description="The phase, if grouped by it.", default=None)
    strategy: StrategyKind | None = strawberry.field(
        description="The strategy, if grouped by it and known.", default=None
    )
    environment: str | None = strawberry.field(
        description="The environment, if grouped by it and known.", default=None
    )


def summary(
    context: Context,
    filter: RolloutFilter | None,
    keys: Sequence[RolloutGroupKey],
) -> list[RolloutSummaryBucket]:
    """Counts the rollouts that match, the largest bucket first."""
    wanted = tuple(dict.fromkeys(keys))
    readers = [_reader(context, key) for key in wanted]
    views = context.fleet.matching(filter.core() if filter else None)
    counts: Counter[_Group] = Counter(tuple(read(view) for read in readers) for view in views)
    buckets = sorted(counts.items(), key=lambda item: (-item[1], *map(str, item[0])))
    return [_bucket(wanted, group, count) for group, count in buckets]


def _reader(context: Context, key: RolloutGroupKey) -> Callable[[RolloutView], str | None]:
    match key:
        case RolloutGroupKey.CLUSTER:
            return lambda view: view.ref.cluster
        case RolloutGroupKey.NAMESPACE:
            return lambda view: view.ref.namespace
        case RolloutGroupKey.PHASE:
            return lambda view: view.phase
        case RolloutGroupKey.STRATEGY:
            return lambda view: view.strategy
        case RolloutGroupKey.ENVIRONMENT:
            environments = {c.name: environment(c) for c in context.clusters()}
            return lambda view: environments.get(view.ref.cluster)


def _bucket(keys: Sequence[RolloutGroupKey], group: _Group, count: int) -> RolloutSummaryBucket:
    found = dict(zip(keys, group, strict=True))
    phase, strategy = found.get(RolloutGroupKey.PHASE), found.get(RolloutGroupKey.STRATEGY)
    return RolloutSummaryBucket(
        count=count,
        cluster=found.get(RolloutGroupKey.CLUSTER),
        namespace=found.get(RolloutGroupKey.NAMESPACE),
        phase=Phase(phase) if phase else None,
        strategy=StrategyKind(strategy) if strategy else None,
        environment=found.get(RolloutGroupKey.ENVIRONMENT),
    )
