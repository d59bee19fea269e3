"""From an action and what was just read to a plan: which rule is asked for which action."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rollgraph.core.actions import abort, pause, promotion, stepping
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Pause,
    Promote,
    PromoteFull,
    Resume,
    Retry,
    SkipStep,
)
from rollgraph.core.actions.guards import stale
from rollgraph.core.actions.plan import (
    ANYWHERE,
    Expectations,
    Live,
    Manifest,
    Need,
    Plan,
    Reason,
    Refusal,
)
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind

# What depends on the Rollout alone.
_ALONE: dict[type[Any], Callable[[Any, Rollout, Manifest], Plan | Refusal]] = {
    Promote: promotion.promote,
    PromoteFull: promotion.promote_full,
    SkipStep: stepping.skip,
    JumpToStep: stepping.jump,
    Abort: abort.abort,
    Retry: abort.retry,
    Pause: pause.pause,
    Resume: pause.resume,
}


def needs(action: Action, rollout: Manifest) -> tuple[Need, ...]:
    """What has to be read beside the rollout before `plan` can be asked."""
    return ()


def plan(
    action: Action, live: Live, now: datetime, expected: Expectations = ANYWHERE
) -> Plan | Refusal:
    """What to send for an action, or why not.

    Args:
        live: The Rollout, and what was found for each of `needs`.
        expected: Where the caller saw the rollout. After a first patch of a plan has changed it,
            whoever plans again leaves out the resourceVersion.
    """
    rollout = read_object(Kind.ROLLOUT, live.rollout)
    assert isinstance(rollout, Rollout)
    if refusal := stale(rollout, expected):
        return refusal
    planned = _ALONE[type(action)](action, rollout, live.rollout)
    if isinstance(planned, Refusal) and planned.reason is Reason.NOTHING_TO_DO:
        return Plan((), planned.message)
    return planned
