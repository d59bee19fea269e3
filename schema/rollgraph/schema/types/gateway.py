"""The gateway itself: its version, and what it allows."""

from typing import Final

import strawberry

from rollgraph.schema.connections import MAX_PAGE
from rollgraph.schema.context import Info

# The newest that both compositions take in: @theguild/federation-composition refuses 2.10 and 2.11.
FEDERATION_VERSION: Final = "2.9"


@strawberry.type(description="What one request may ask for.")
class GatewayLimits:
    """What one request may ask for."""

    max_page_size: int = strawberry.field(description="Rows of one page.")
    max_tokens: int = strawberry.field(description="Tokens of the document.")
    max_depth: int = strawberry.field(
        description="Fields within each other; `edges` is no level of its own."
    )
    max_cost: int = strawberry.field(
        description="Cost: about the objects of the answer, by `@cost` and `@listSize`."
    )
    max_aliases: int = strawberry.field(description="Aliases.")
    max_root_fields: int = strawberry.field(description="Fields of the operation itself.")
    max_directives: int = strawberry.field(description="Directives.")


@strawberry.type(description="The gateway that answers.")
class GatewayInfo:
    """The gateway that answers."""

    version: str = strawberry.field(description="Its version.")
    schema_hash: str = strawberry.field(
        description="Changes whenever the schema does: SHA-256 of its text, in hex."
    )
    federation_version: str = strawberry.field(
        description="The Apollo Federation specification that its subgraph follows."
    )
    limits: GatewayLimits = strawberry.field(description="What one request may ask for.")


def gateway_info(info: Info) -> GatewayInfo:
    """The GraphQL object of the gateway that answers."""
    about, limits = info.context.about, info.context.about.limits
    return GatewayInfo(
        version=about.version,
        schema_hash=about.schema_hash,
        federation_version=FEDERATION_VERSION,
        limits=GatewayLimits(
            max_page_size=MAX_PAGE,
            max_tokens=limits.tokens,
            max_depth=limits.depth,
            max_cost=limits.cost,
            max_aliases=limits.aliases,
            max_root_fields=limits.root_fields,
            max_directives=limits.directives,
        ),
    )
