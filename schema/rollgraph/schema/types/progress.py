"""How far an update has come, and what it waits for."""

from datetime import datetime, timedelta

import strawberry

from rollgraph.core.progress import Progress
from rollgraph.core.waiting import Waiting, WaitReason
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved
from rollgraph.schema.scalars import Percent


@strawberry.type(description="What a rollout waits for.")
class RolloutWait:
    """What a rollout waits for."""

    wait: strawberry.Private[Waiting]
    reason: WaitReason = strawberry.field(description="What has to happen.")
    message: str = strawberry.field(description="The same in a sentence.")
    human: bool = strawberry.field(
        description="Whether nothing happens until a person, or their script, acts."
    )
    since: datetime | None = strawberry.field(
        description="Since when, where the rollout's objects tell."
    )
    until: datetime | None = strawberry.field(description="When it ends, or the earliest time.")
    exact: bool = strawberry.field(
        description="Whether `until` is the end itself, and not only the earliest time."
    )
    deadline: datetime | None = strawberry.field(
        description="When the controller gives up and calls the update degraded."
    )

    @resolved
    def remaining(self, info: Info) -> timedelta | None:
        """The time from now to `until`; 0 once that has passed."""
        until = self.wait.until
        return max(until - info.context.now, timedelta(0)) if until else None

    @resolved
    def elapsed(self, info: Info) -> timedelta | None:
        """The time from `since` to now."""
        since = self.wait.since
        return max(info.context.now - since, timedelta(0)) if since else None


@strawberry.type(description="How far an update has come.")
class RolloutProgress:
    """How far an update has come."""

    progress: strawberry.Private[Progress]

    @resolved
    def steps_total(self) -> int:
        """Steps of the canary; 0 without any, and for blue-green."""
        return self.progress.steps_total

    @resolved
    def steps_completed(self) -> int:
        """Steps that are done; 0 after an abort."""
        return self.progress.steps_completed

    @resolved
    def percent(self) -> Percent:
        """The share of steps that are done, without steps that of available new pods."""
        return Percent(float(self.progress.percent))

    @resolved
    def waiting(self) -> RolloutWait | None:
        """What has to happen next; null when all is done."""
        return rollout_wait(self.progress.waiting)


def rollout_wait(found: Waiting | None) -> RolloutWait | None:
    """The GraphQL object of what a rollout waits for."""
    if found is None:
        return None
    return RolloutWait(
        wait=found,
        reason=found.reason,
        message=found.message,
        human=found.human,
        since=found.since,
        until=found.until,
        exact=found.exact,
        deadline=found.deadline,
    )
