"""What a policy says of somebody, as they may be told it."""

import msgspec


class Permission(msgspec.Struct, frozen=True):
    """A line of the policy that speaks of a viewer, by their own name or by a role.

    Attributes:
        resource, action, object: Patterns, as they stand in the policy.
        allowed: False if it forbids that; then it does not matter what else allows it.
        project: The Argo CD project for whose applications alone it is said; "" for everywhere.
    """

    resource: str
    action: str
    object: str
    allowed: bool
    project: str = ""
