"""What the caller may still ask for in this minute."""

from datetime import datetime, timedelta

import strawberry

from rollgraph.schema.context import Info

# As much as the type can say, where there is no limit.
ENDLESS = 2**31 - 1

DRY_RUN = strawberry.argument(
    description="Whether the request is only measured: nothing else of it is executed or answered."
)


@strawberry.type(description="What the caller may ask for in a minute, in points of `@cost`.")
class RateLimit:
    """What the caller may ask for in a minute, in points of `@cost`."""

    limit: int = strawberry.field(
        description="Points that there are at most, and that come back in a minute; 2147483647 "
        "where there is no limit."
    )
    cost: int = strawberry.field(description="What this request was measured to cost at most.")
    remaining: int = strawberry.field(description="Points that are left after this request.")
    used: int = strawberry.field(description="Points that are spent and not back yet.")
    node_count: int = strawberry.field(
        description="Objects that the answer to this request can have: its cost without `@cost`."
    )
    reset_at: datetime = strawberry.field(
        description="When all points are back, if nothing else is asked."
    )


def rate_limit(info: Info) -> RateLimit:
    """The GraphQL object of what the request has taken, and what is left."""
    context = info.context
    paid, now = context.budget, context.now
    price = paid.price if paid is not None else None
    balance = paid.balance if paid is not None else None
    limit = balance.limit if balance is not None else ENDLESS
    remaining = balance.remaining if balance is not None else ENDLESS
    return RateLimit(
        limit=limit,
        cost=price.cost if price is not None else 0,
        remaining=remaining,
        used=limit - remaining,
        node_count=price.objects if price is not None else 0,
        reset_at=now + timedelta(seconds=balance.full_in) if balance is not None else now,
    )
