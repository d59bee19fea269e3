"""How long an update of a rollout took, and how it ended."""

from datetime import datetime, timedelta
from enum import StrEnum

import strawberry

from rollgraph.core.view import RolloutView
from rollgraph.schema.described import enum


class CompletionStatus(StrEnum):
    """How an update ended; the value is Argo's."""

    PROMOTED = "Promoted"
    FAST_PROMOTED = "FastPromoted"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    ROLLED_BACK = "RolledBack"
    FAST_ROLLED_BACK = "FastRolledBack"


enum(
    CompletionStatus,
    "CompletionStatus",
    "How an update ended.",
    {
        "PROMOTED": "Through all its steps.",
        "FAST_PROMOTED": "By a full promotion.",
        "ABORTED": "By an abort.",
        "SUPERSEDED": "By a newer template.",
        "ROLLED_BACK": "By a rollback.",
        "FAST_ROLLED_BACK": "By a rollback within the rollback window.",
    },
)


@strawberry.type(
    description="How long an update took, as the controller measured it: from Argo Rollouts 1.11."
)
class RolloutDuration:
    """How long an update took, as the controller measured it."""

    started_at: datetime | None = strawberry.field(description="When the update began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    manual_pause: timedelta | None = strawberry.field(
        description="The time for which people held it."
    )
    completion: CompletionStatus | None = strawberry.field(description="How it ended.")


def rollout_duration(view: RolloutView) -> RolloutDuration | None:
    """How long a rollout's update took; None where the controller does not measure it."""
    found = view.rollout.status.duration
    if found is None:
        return None
    held = found.total_manual_pause_duration_seconds
    return RolloutDuration(
        started_at=found.rollout_started_at,
        finished_at=found.finished_at,
        manual_pause=None if held is None else timedelta(seconds=held),
        completion=_completion(found.completion_status),
    )


def _completion(text: str) -> CompletionStatus | None:
    try:
        return CompletionStatus(text)
    except ValueError:
        return None
