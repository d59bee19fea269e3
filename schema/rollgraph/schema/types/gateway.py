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
    about = info.context.about
    return GatewayInfo(
        version=about.version,
        schema_hash=about.schema_hash,
        federation_version=FEDERATION_VERSION,
        limits=GatewayLimits(max_page_size=MAX_PAGE),
    )
