"""Which images run now, and in which parts."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from rollgraph.core.analysis import ExperimentView
from rollgraph.core.replicasets import ReplicaSetView, Role

S = TypeVar("S", bound=str)


class RunningImage(msgspec.Struct, frozen=True, gc=False):
    """An image that pods run.

    Attributes:
        roles: The parts that ReplicaSets with this image play, each once.
        experiment_templates: The experiment templates that run it, by name.
    """

    image: str
    roles: tuple[Role, ...] = ()
    experiment_templates: tuple[str, ...] = ()


def running_images(
    replica_sets: Sequence[ReplicaSetView], experiments: Sequence[ExperimentView]
) -> tuple[RunningImage, ...]:
    """The images of all ReplicaSets with pods, by name; those of init containers do not count."""
    own = list(_at_work(replica_sets))
    experimental = [pair for item in experiments for pair in _at_work(item.replica_sets)]
    return tuple(
        RunningImage(
            image=image,
            roles=_distinct(r for name, view in own if name == image for r in view.roles),
            experiment_templates=_distinct(v.template for name, v in experimental if name == image),
        )
        for image in sorted({name for name, _ in (*own, *experimental)})
    )


def _at_work(replica_sets: Iterable[ReplicaSetView]) -> Iterable[tuple[str, ReplicaSetView]]:
    for view in replica_sets:
        if view.replica_set.status.replicas:
            yield from ((c.image, view) for c in view.images if not c.init)


def _distinct(items: Iterable[S]) -> tuple[S, ...]:
    return tuple(sorted(set(items)))
