"""What a page of rollouts is: the request, the order, the answer."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from rollgraph.core.errors import BadRequestError
from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.view import RolloutView


class OrderField(StrEnum):
    """What rollouts can be ordered by. PHASE is by urgency: see `core.ordering`."""

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
        first: The first so many. Without `first` and `last` the page has no end.
        last: The last so many. Not to be mixed with `first`.
        after, before: Cursors; only what lies behind, or ahead of, them.
    """

    filter: RolloutFilter | None = None
    order: tuple[Order, ...] = ()
    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Part of the rollouts that match, with one opaque cursor for each.

    Attributes:
        places: The place of each rollout in the order.
        encode: Makes a place a cursor; on demand, for a list of nodes needs two at the most.
        has_next: Whether a rollout that matches follows the page.
        has_previous: Whether one precedes it.
    """

    rollouts: tuple[RolloutView, ...]
    places: tuple[bytes, ...]
    encode: Callable[[bytes], str]
    has_next: bool
    has_previous: bool

    @property
    def cursors(self) -> tuple[str, ...]:
        """The cursors of all rollouts of the page."""
        return tuple([self.encode(place) for place in self.places])

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first rollout; None on an empty page."""
        return self.encode(self.places[0]) if self.places else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last rollout; None on an empty page."""
        return self.encode(self.places[-1]) if self.places else None


def check(request: PageRequest) -> None:
    """Raises `BadRequestError` if the size of the page makes no sense."""
    if request.first is not None and request.last is not None:
        raise BadRequestError("pass `first` or `last`, not both")
    for name, size in (("first", request.first), ("last", request.last)):
        if size is not None and size < 0:
            raise BadRequestError(f"`{name}` must not be negative, got {size}")
