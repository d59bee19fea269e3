"""Images: those of a template, and those that pods run."""

from collections.abc import Iterable

import strawberry

from rollgraph.core import images
from rollgraph.core.replicasets import ContainerImage as CoreImage
from rollgraph.core.replicasets import Role
from rollgraph.core.view import RolloutView


@strawberry.type(description="The image of one container.")
class ContainerImage:
    """The image of one container."""

    container: str = strawberry.field(description="The container's name.")
    image: str = strawberry.field(description="The image, with tag or digest.")
    init: bool = strawberry.field(description="Whether it is an init container.")


@strawberry.type(description="An image that pods run now.")
class RunningImage:
    """An image that pods run now."""

    image: str = strawberry.field(description="The image, with tag or digest.")
    roles: list[Role] = strawberry.field(description="The parts that ReplicaSets with it play.")
    experiment_templates: list[str] = strawberry.field(
        description="The experiment templates that run it."
    )


def container_images(images: Iterable[CoreImage]) -> list[ContainerImage]:
    """The images of a template."""
    return [ContainerImage(container=i.container, image=i.image, init=i.init) for i in images]


def running_images(view: RolloutView) -> list[RunningImage]:
    """The images that a rollout's pods run now, by name."""
    return [
        RunningImage(
            image=item.image,
            roles=list(item.roles),
            experiment_templates=list(item.experiment_templates),
        )
        for item in images.running_images(view.replica_sets, view.experiments)
    ]
