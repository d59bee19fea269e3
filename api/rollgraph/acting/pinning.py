"""Where a rollout is first seen: whoever is overtaken there does not act on what comes after."""

from rollgraph.acting.request import ANYWHERE, Expected
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Promote,
    PromoteFull,
    Retry,
    SkipStep,
)
from rollgraph.core.actions.guards import seen
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.phase import generation_observed, waits_for_workload


def pinned(action: Action, rollout: Rollout) -> Expected | None:
    """What must still be so when the action is planned again; None if that cannot be told yet.

    Of two who promote the same step the second must not promote the next one, and what is meant for
    one version must not hit the next. All else is wanted wherever the rollout is.
    """
    if not generation_observed(rollout) or waits_for_workload(rollout):
        return None
    match action:
        case Promote() | SkipStep():
            return seen(rollout)
        case PromoteFull() | Abort() | Retry() | JumpToStep():
            return Expected(pod_template_hash=rollout.status.current_pod_hash)
        case _:
            return ANYWHERE


def late(action: Action, generation: int | None, rollout: Rollout) -> bool:
    """Whether it is the same version that a hash is told for, in which it was first seen.

    The controller writes that it has observed a generation before it knows the template's hash
    (`patchCondition` in rollout/controller.go), so that the first look may find that of the version
    before. With the spec unchanged, another hash is no other version.
    """
    if rollout.spec.workload_ref is not None or rollout.metadata.generation != generation:
        return False
    return isinstance(action, PromoteFull | Abort | Retry | JumpToStep)


def together(expected: Expected, pin: Expected | None) -> Expected:
    """What the caller expects and, where they do not say, what was seen first."""
    if pin is None:
        return expected
    index, template = expected.step_index, expected.pod_template_hash
    return Expected(
        pin.step_index if index is None else index,
        pin.pod_template_hash if template is None else template,
        expected.resource_version,
    )
