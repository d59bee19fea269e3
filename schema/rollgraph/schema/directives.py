"""The directives that say in the schema what a field asks of its caller.

`@authenticated` and `@requiresScopes` are those of Apollo Federation, which routers enforce too.
"""

import strawberry
from strawberry.directive import directive_field
from strawberry.federation.schema_directives import Authenticated, RequiresScopes
from strawberry.schema_directive import Location

__all__ = ["Authenticated", "Rbac", "RequiresScopes"]


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
