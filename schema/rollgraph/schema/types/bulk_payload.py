"""What the caller of one action on many rollouts gets back: each rollout's own outcome."""

from datetime import datetime

import strawberry

from rollgraph.schema.described import resolved
from rollgraph.schema.directives import not_for_routers
from rollgraph.schema.types.payloads import QueryRoot, RolloutActionPayload
from rollgraph.schema.types.user_errors import UserError


@strawberry.type(description="What came of one action on many rollouts.")
class BulkRolloutActionPayload:
    """What came of one action on many rollouts."""

    client_mutation_id: str | None = strawberry.field(
        description="The input's, as it was.", default=None
    )
    operation_id: strawberry.ID | None = strawberry.field(
        description="Names the whole in the audit and in events; null if it was not begun.",
        default=None,
    )
    dry_run: bool = strawberry.field(description="Whether nothing was to be changed.")
    results: list[RolloutActionPayload] = strawberry.field(
        description="One for each rollout, in the order asked, whatever came of it.",
        default_factory=list,
    )
    succeeded: int = strawberry.field(description="How many went well.", default=0)
    failed: int = strawberry.field(description="How many were tried and failed.", default=0)
    skipped: int = strawberry.field(
        description="How many were not begun, since one before had failed or time ran out.",
        default=0,
    )
    token: str | None = strawberry.field(
        description="After a dry run with a filter: what to run it with, on these very rollouts.",
        default=None,
    )
    token_expires_at: datetime | None = strawberry.field(
        description="Until when the token is good.", default=None
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why nothing was begun at all; what failed by itself is in `results`.",
        default_factory=list,
    )

    @not_for_routers
    @resolved
    def query(self) -> QueryRoot:
        """All that can be asked, after it."""
        from rollgraph.schema.query import Query

        return Query()
