"""Which rollout is meant: by its id or by its place, or by the id of what belongs to it."""

import re
from collections.abc import Sequence

import strawberry

from rollgraph.core.errors import BadRequestError
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.ids import read_global_id

# What Kubernetes takes for the name of an object or a namespace. Whatever else stood here would
# make a policy's `cluster/namespace/name`, or the path of a request, mean something else.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class BadInputError(BadRequestError):
    """A part of an action's input makes no sense.

    Args:
        path: The part, from `input` on.
    """

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = ("input", *path)


@strawberry.input(description="A rollout's place.")
class RolloutKeyInput:
    """A rollout's place."""

    cluster: str = strawberry.field(description="The cluster's name.")
    namespace: str = strawberry.field(description="The namespace.")
    name: str = strawberry.field(description="The rollout's name.")


@strawberry.input(one_of=True, description="A rollout: by its `id`, or by its place.")
class RolloutRefInput:
    """A rollout: by its `id`, or by its place."""

    id: strawberry.ID | None = strawberry.field(
        description="The rollout's global ID.", default=strawberry.UNSET
    )
    key: RolloutKeyInput | None = strawberry.field(
        description="The rollout's place.", default=strawberry.UNSET
    )

    def ref(self, *path: str) -> RolloutRef:
        """The rollout; `BadInputError` below `path` for what is none."""
        if self.key:
            return _ref((self.key.cluster, self.key.namespace, self.key.name), *path, "key")
        return _ref(_place(self.id or "", "Rollout", *path, "id"), *path, "id")


def belonging(global_id: str, type_name: str, *path: str) -> tuple[RolloutRef, str]:
    """The rollout that something belongs to, and its own name."""
    *owner, name = _place(global_id, type_name, *path)
    return _ref(owner, *path), _named(name, *path)


def _place(global_id: str, type_name: str, *path: str) -> tuple[str, ...]:
    try:
        found, place = read_global_id(global_id)
    except BadRequestError as error:
        raise BadInputError(str(error), *path) from error
    if found != type_name:
        raise BadInputError(f"{global_id!r} is the id of a {found}, not of a {type_name}", *path)
    return place


def _ref(place: Sequence[str], *path: str) -> RolloutRef:
    if len(place) != 3 or not place[0]:
        raise BadInputError("the id names no object: pass an `id` as it was answered", *path)
    cluster, namespace, name = place
    return RolloutRef(cluster, _named(namespace, *path), _named(name, *path))


def _named(name: str, *path: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInputError(
            f"{name[:64]!r} is no name in Kubernetes: lower case letters, digits, `-` and `.`",
            *path,
        )
    return name
