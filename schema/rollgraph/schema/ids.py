"""Global IDs: the type and the place of an object, opaque to clients but stable for ever.

An ID is base64 of the type and the place: `Rollout:cluster/namespace/name`. What belongs to a
rollout has that rollout in its place, so that it is found without a search:
`Pod:cluster/namespace/rollout/name`. It tells nothing that the object's own fields
would not, and grants nothing: whoever resolves one checks rights anew.
"""

from strawberry import ID
from strawberry.relay.utils import from_base64, to_base64

from rollgraph.core.errors import BadRequestError


def global_id(type_name: str, *place: str) -> ID:
    """The global ID of an object."""
    return ID(to_base64(type_name, "/".join(place)))


def read_global_id(value: str) -> tuple[str, tuple[str, ...]]:
    """The type's name and the place; `BadRequestError` for anything that is no global ID."""
    try:
        type_name, place = from_base64(value)
    except ValueError as error:
        raise BadRequestError(
            f"{value!r} is not an id of this API: pass an `id` as it was answered"
        ) from error
    return type_name, tuple(place.split("/"))
