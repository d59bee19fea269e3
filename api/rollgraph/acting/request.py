"""What a caller asks to be done: one action on one rollout, or on many."""

from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from rollgraph.core.actions.action import Action, Restart
from rollgraph.core.actions.plan import Expectations
from rollgraph.core.filtering import RolloutFilter
from rollgraph.core.refs import RolloutRef

# Rollouts of one request. At 10 ms each and some at a time they are done well within 30 seconds,
# and a person can still read what a filter would touch.
MAX_BULK = 500


# Where the caller saw the rollout.
Expected: TypeAlias = Expectations
ANYWHERE = Expectations()


class ActionRequest(msgspec.Struct, frozen=True):
    """One action on one rollout.

    Attributes:
        ref: The rollout; also for what belongs to it, such as an AnalysisRun.
        expected: Where the caller saw it: if it is elsewhere now, nothing is done.
        reason: Why, in the caller's words, for the audit.
        dry_run: Asks the spoke to check everything and to change nothing.
        idempotency_key: Names the request: with the same key it is carried out once, and answered
            alike for 24 h. "" for none. A dry run needs none, and takes none up.
    """

    ref: RolloutRef
    action: Action
    expected: Expected = ANYWHERE
    reason: str = ""
    dry_run: bool = False
    idempotency_key: str = ""


class Listed(msgspec.Struct, frozen=True):
    """These rollouts, in this order."""

    refs: tuple[RolloutRef, ...]


class Matching(msgspec.Struct, frozen=True):
    """The rollouts that match and that the caller sees.

    Attributes:
        token: From the answer to a dry run: acts on exactly the rollouts of that answer, and on
            each only where it was then. Without one only a dry run is possible.
    """

    filter: RolloutFilter
    token: str = ""


Targets: TypeAlias = Listed | Matching


class BulkRequest(msgspec.Struct, frozen=True):
    """One action on many rollouts, across clusters; each comes out by itself.

    Attributes:
        stop_on_first_error: Begins no further rollout once one has failed.
        idempotency_key: As for one action; each rollout is carried out once.
    """

    action: Action
    targets: Targets
    reason: str = ""
    dry_run: bool = False
    stop_on_first_error: bool = False
    idempotency_key: str = ""


def whenever(action: Action, now: datetime) -> Action:
    """The action, equal for each time at which somebody asks for the same.

    A restart at once names the moment at which it is asked for: another one when it is repeated, or
    run after it has been shown.
    """
    if isinstance(action, Restart) and action.at.tzinfo is not None and action.at <= now:
        return Restart(datetime.fromtimestamp(0, UTC))
    return action
