"""What callers may ask for: filters and orders, and how they become the core's."""

from datetime import datetime
from enum import StrEnum
from typing import Optional, Protocol, TypeVar

import strawberry

from rollgraph.core import filtering, paging
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.paging import OrderField
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import Phase
from rollgraph.core.view import StrategyKind
from rollgraph.schema.described import enum

C = TypeVar("C", covariant=True)


@strawberry.input(description="A condition on a text; every part that is set must hold.")
class StringFilter:
    """A condition on a text; every part that is set must hold."""

    eq: str | None = strawberry.field(description="Equal to this.", default=None)
    in_: list[str] | None = strawberry.field(
        name="in", description="Equal to one of these.", default=None
    )
    contains: str | None = strawberry.field(description="Contains this.", default=None)
    starts_with: str | None = strawberry.field(description="Starts with this.", default=None)
    matches: str | None = strawberry.field(
        description="Matches this glob: `*` any text, `?` one character, `[a-z]`, `{a,b}`.",
        default=None,
    )

    def core(self) -> filtering.StringFilter:
        """The core's form."""
        return filtering.StringFilter(
            eq=self.eq,
            in_=None if self.in_ is None else tuple(self.in_),
            contains=self.contains,
            starts_with=self.starts_with,
            matches=self.matches,
        )


@strawberry.input(
    name="DateTimeFilter", description="A span of time; every end that is set must hold."
)
class TimeFilter:
    """A span of time; every end that is set must hold."""

    after: datetime | None = strawberry.field(description="Later than this.", default=None)
    before: datetime | None = strawberry.field(description="Earlier than this.", default=None)

    def holds(self, moment: datetime | None) -> bool:
        """Whether a moment lies in the span; an unknown one does not."""
        if moment is None:
            return False
        return (self.after is None or moment > self.after) and (
            self.before is None or moment < self.before
        )

    def core(self) -> filtering.TimeFilter:
        """The core's form."""
        return filtering.TimeFilter(after=self.after, before=self.before)


class _HasCore(Protocol[C]):
    def core(self) -> C: ...


def _core(part: _HasCore[C] | None) -> C | None:
    return None if part is None else part.core()


@strawberry.input(description="Which rollouts; every part that is set must hold.")
class RolloutFilter:
    """Which rollouts; every part that is set must hold."""

    cluster: StringFilter | None = strawberry.field(
        description="On the cluster's name.", default=None
    )
    namespace: StringFilter | None = strawberry.field(description="On the namespace.", default=None)
    name: StringFilter | None = strawberry.field(description="On the name.", default=None)
    phase: list[Phase] | None = strawberry.field(
        description="In one of these phases.", default=None
    )
    strategy: list[StrategyKind] | None = strawberry.field(
        description="With one of these strategies.", default=None
    )
    image: StringFilter | None = strawberry.field(
        description="On any image of the present template.", default=None
    )
    label_selector: str | None = strawberry.field(
        description="On labels, in Kubernetes' form: `app=web,tier in (a,b),!legacy`.", default=None
    )
    aborted: bool | None = strawberry.field(description="Aborted, or not.", default=None)
    pause_reason: list[PauseReason] | None = strawberry.field(
        description="Held for one of these reasons.", default=None
    )
    updated_at: TimeFilter | None = strawberry.field(
        description="Last written in this span of time.", default=None
    )
    and_: list["RolloutFilter"] | None = strawberry.field(
        name="and", description="All of these hold.", default=None
    )
    or_: list["RolloutFilter"] | None = strawberry.field(
        name="or", description="One of these holds.", default=None
    )
    not_: Optional["RolloutFilter"] = strawberry.field(
        name="not", description="This does not hold.", default=None
    )

    def core(self) -> filtering.RolloutFilter:
        """The core's form."""
        return filtering.RolloutFilter(
            cluster=_core(self.cluster),
            namespace=_core(self.namespace),
            name=_core(self.name),
            phase=None if self.phase is None else tuple(self.phase),
            strategy=None if self.strategy is None else tuple(self.strategy),
            image=_core(self.image),
            label_selector=self.label_selector,
            aborted=self.aborted,
            pause_reason=None if self.pause_reason is None else tuple(self.pause_reason),
            updated_at=_core(self.updated_at),
            and_=None if self.and_ is None else tuple(part.core() for part in self.and_),
            or_=None if self.or_ is None else tuple(part.core() for part in self.or_),
            not_=_core(self.not_),
        )


class OrderDirection(StrEnum):
    """Which end comes first."""

    ASC = "ASC"
    DESC = "DESC"


enum(
    OrderDirection,
    "OrderDirection",
    "Which end comes first.",
    {
        "ASC": "The smallest, earliest or most urgent.",
        "DESC": "The largest, latest or least urgent.",
    },
)


@strawberry.input(description="One key of an order of rollouts.")
class RolloutOrder:
    """One key of an order of rollouts."""

    field: OrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        description="Which end comes first.", default=OrderDirection.ASC
    )

    def core(self) -> paging.Order:
        """The core's form."""
        return paging.Order(self.field, self.direction is OrderDirection.DESC)


@strawberry.input(description="Which clusters; every part that is set must hold.")
class ClusterFilter:
    """Which clusters; every part that is set must hold."""

    name: StringFilter | None = strawberry.field(description="On the name.", default=None)
    environment: StringFilter | None = strawberry.field(
        description="On the environment.", default=None
    )
    region: StringFilter | None = strawberry.field(description="On the region.", default=None)
    status: list[ConnectionStatus] | None = strawberry.field(
        description="In one of these states of connection.", default=None
    )
    label_selector: str | None = strawberry.field(
        description="On the gateway's own labels of the cluster, in Kubernetes' form.", default=None
    )


class ClusterOrderField(StrEnum):
    """What clusters can be ordered by."""

    NAME = "NAME"
    LAG = "LAG"
    ROLLOUT_COUNT = "ROLLOUT_COUNT"


enum(
    ClusterOrderField,
    "ClusterOrderField",
    "What clusters can be ordered by.",
    {
        "NAME": "The name.",
        "LAG": "How long ago the cluster gave a sign of life.",
        "ROLLOUT_COUNT": "How many rollouts it has.",
    },
)


@strawberry.input(description="An order of clusters.")
class ClusterOrder:
    """An order of clusters."""

    field: ClusterOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        description="Which end comes first.", default=OrderDirection.ASC
    )
