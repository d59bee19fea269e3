"""What a page of rollouts is: the request, the order, the answer."""

from enum import StrEnum

import msgspec

from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.view import RolloutView


class OrderField(StrEnum):
    """What rollouts can be ordered by."""

    CLUSTER = "CLUSTER"
    NAMESPACE = "NAMESPACE"
    NAME = "NAME"
    PHASE = "PHASE"
    UPDATED_AT = "UPDATED_AT"
    CREATED_AT = "CREATED_AT"
    PROGRESS = "PROGRESS"


class Order(msgspec.Struct, frozen=True, gc=False):
    """One key of an order; ties are always broken by cluster, namespace and name."""

    field: OrderField
    descending: bool = False


class PageRequest(msgspec.Struct, frozen=True):
    """Which rollouts, in which order, and which part of them.

    Attributes:
        filter: None for all rollouts.
        order: The keys, most significant first; empty for cluster, namespace, name.
        first, after: The first so many after a cursor (`after` None: from the start).
        last, before: The last so many before a cursor. Not to be mixed with `first`.
    """

    filter: RolloutFilter | None = None
    order: tuple[Order, ...] = ()
    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Part of the rollouts that match, with one opaque cursor for each."""

    rollouts: tuple[RolloutView, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
