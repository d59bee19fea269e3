"""What is in the way of an action, whatever it is asked on: a view in memory or a fresh read.

Each rule is here once. `plan` and `availability` ask the same guards, so that what is offered is
what can be done.
"""

from rollgraph.core.actions.plan import Expectations, Reason, Refusal
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.phase import generation_observed, waits_for_workload
from rollgraph.core.steps import step_index, steps

INVALID_SPEC = "InvalidSpec"


def untouchable(rollout: Rollout) -> Refusal | None:
    """Why nothing at all can be done to the rollout."""
    if rollout.unreadable:
        return not_applicable(f"Rollgraph cannot read this rollout: {rollout.unreadable}")
    if rollout.metadata.deletion_timestamp is not None:
        return not_applicable("the rollout is being deleted")
    return None


def unobserved(rollout: Rollout) -> Refusal | None:
    """Whether the controller has yet to see the newest spec.

    Until then the status speaks of an older one, and the controller forgets most of what is written
    into it as soon as it sees a new template.
    """
    if not generation_observed(rollout):
        seen = rollout.status.observed_generation or "none"
        return not_observed(f"generation {rollout.metadata.generation}; it has seen {seen}")
    if waits_for_workload(rollout):
        return not_observed("the template of its workloadRef")
    return None


def unready(rollout: Rollout) -> Refusal | None:
    """Why nothing can be written into the status now."""
    return untouchable(rollout) or unobserved(rollout)


def invalid(rollout: Rollout) -> Refusal | None:
    """Whether the controller does nothing for a rollout whose spec it cannot use."""
    for condition in rollout.status.conditions or ():
        if condition.type == INVALID_SPEC and condition.status != "False":
            return not_applicable(f"the spec is invalid, mend it first: {condition.message}")
    return None


def aborted(rollout: Rollout) -> Refusal | None:
    """Whether the update is aborted, so that steps and pauses have no meaning."""
    if rollout.status.abort:
        return not_applicable("the update is aborted: retry it first, or change the template")
    return None


def idle(rollout: Rollout) -> Refusal | None:
    """Whether no update is under way."""
    if not rollout.status.stable_rs:
        return not_applicable("the first revision is being deployed: there is none before it")
    if rollout.fully_promoted:
        return not_applicable("no update is under way: the newest revision is the stable one")
    return None


def stale(rollout: Rollout, expected: Expectations) -> Refusal | None:
    """Whether the rollout is not where the caller saw it; says where it is."""
    index, status = step_index(rollout), rollout.status
    version = rollout.metadata.resource_version
    found: list[str] = []
    if expected.step_index is not None and expected.step_index != index:
        found.append(f"{_done(index, rollout)}, not {expected.step_index}")
    if expected.pod_template_hash not in {None, status.current_pod_hash}:
        found.append(
            f"its template is {status.current_pod_hash or 'unknown'}, not"
            f" {expected.pod_template_hash}"
        )
    if expected.resource_version not in {None, version}:
        found.append(f"its resourceVersion is {version}, not {expected.resource_version}")
    if not found:
        return None
    return Refusal(Reason.STALE, f"the rollout has moved: {'; '.join(found)}")


def seen(rollout: Rollout) -> Expectations:
    """That a rollout is still at the step and template where it was seen."""
    return Expectations(step_index(rollout), rollout.status.current_pod_hash)


def not_applicable(message: str) -> Refusal:
    """A refusal because of the rollout's state."""
    return Refusal(Reason.NOT_APPLICABLE, message)


def nothing_to_do(message: str) -> Refusal:
    """What was asked for is so already."""
    return Refusal(Reason.NOTHING_TO_DO, message)


def not_observed(what: str) -> Refusal:
    """A refusal until the controller has caught up."""
    return Refusal(
        Reason.NOT_OBSERVED,
        f"Argo Rollouts has not seen the newest change yet ({what}): try again in a moment;"
        " if it stays so, see whether its controller runs",
    )


def _done(index: int | None, rollout: Rollout) -> str:
    if index is None:
        return "it has no current step"
    return f"{index} of {len(steps(rollout))} steps are done"
