"""The directives that say in the schema what a field asks of its caller.

`@authenticated` and `@requiresScopes` are those of Apollo Federation, which routers enforce too.
"""

import strawberry
from strawberry.directive import directive_field
from strawberry.federation.schema_directives import (
    Authenticated,
    Inaccessible,
    RequiresScopes,
)
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

__all__ = ["Authenticated", "Rbac", "RequiresScopes", "not_for_routers"]


@strawberry.federation.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="rbac",
    description="The right that the gateway's policy must give the caller, on each object.",
    compose=True,
    # A name, no address: a composition tells directives apart by it, and fetches nothing.
    import_url="https://rollgraph.invalid/rbac/v1.0",
)
class Rbac:
    """The right that the gateway's policy must give the caller, on each object."""

    action: str = directive_field(name="action")
    object: str = directive_field(name="object", default="rollout")


def not_for_routers(field: StrawberryField) -> StrawberryField:
    """Keeps a field out of a federation: its router neither shows nor asks it.

    A field of type `Query` would have to lead to the root fields of all other subgraphs, and no
    subgraph beside us would compose.
    """
    field.directives = [*field.directives, Inaccessible()]
    return field
