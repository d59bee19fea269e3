"""What a viewer may do to a rollout now, and if not, why: what a button needs to know."""

from enum import StrEnum

import strawberry

from rollgraph.core.actions.availability import availability
from rollgraph.core.actions.plan import Refusal
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Context, Info
from rollgraph.schema.described import enum


class RolloutAction(StrEnum):
    """What can be done to a rollout; the value is the verb of policies."""

    PROMOTE = Verb.PROMOTE
    PROMOTE_FULL = Verb.PROMOTE_FULL
    SKIP_STEP = Verb.SKIP_STEP
    JUMP_TO_STEP = Verb.JUMP_TO_STEP
    ABORT = Verb.ABORT
    RETRY = Verb.RETRY
    PAUSE = Verb.PAUSE
    RESUME = Verb.RESUME
    RESTART = Verb.RESTART
    UNDO = Verb.UNDO
    SET_IMAGE = Verb.SET_IMAGE
    TERMINATE = Verb.TERMINATE

    @property
    def verb(self) -> Verb:
        """What policies call it."""
        return Verb(self.value)


enum(
    RolloutAction,
    "RolloutAction",
    "What can be done to a rollout; each has a mutation of its own.",
    {
        "PROMOTE": "End a pause, take an inconclusive analysis for good, or leave a running step.",
        "PROMOTE_FULL": "Skip all steps, pauses and analyses that are left.",
        "SKIP_STEP": "Leave the current step as if it were done.",
        "JUMP_TO_STEP": "Make another step the current one.",
        "ABORT": "Take all traffic back to the stable version.",
        "RETRY": "Try an aborted update again, from its first step.",
        "PAUSE": "Hold it where it is, until it is resumed.",
        "RESUME": "End what `PAUSE` began, and nothing else.",
        "RESTART": "Replace all pods, a few at a time.",
        "UNDO": "Bring back an earlier revision.",
        "SET_IMAGE": "Set the image of a container, which begins an update.",
        "TERMINATE": "End a running analysis run or experiment.",
    },
)


class ActionDenialReason(StrEnum):
    """Why an action is not possible now."""

    FORBIDDEN = "FORBIDDEN"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    CLUSTER_UNAVAILABLE = "CLUSTER_UNAVAILABLE"
    STALE_STATE = "STALE_STATE"


enum(
    ActionDenialReason,
    "ActionDenialReason",
    "Why an action is not possible now; where there are several reasons, the first of these.",
    {
        "FORBIDDEN": "The viewer may not.",
        "NOT_APPLICABLE": "The rollout is in a state that does not allow it.",
        "CLUSTER_UNAVAILABLE": "The cluster cannot be reached.",
        "STALE_STATE": "The cluster has been silent for too long to tell.",
    },
)


@strawberry.type(description="Whether the viewer may do something to a rollout now.")
class ViewerAction:
    """Whether the viewer may do something to a rollout now."""

    action: RolloutAction = strawberry.field(description="What.")
    allowed: bool = strawberry.field(
        description="Whether the viewer may, and it is possible. The cluster's own RBAC is not "
        "asked: `dryRun` asks it."
    )
    reason: ActionDenialReason | None = strawberry.field(
        description="Why not; null if it is allowed.", default=None
    )
    message: str | None = strawberry.field(
        description="Why not, for a person; null if it is allowed.", default=None
    )
    missing_scopes: list[str] = strawberry.field(
        description="The scopes of which the viewer's token lacks one.", default_factory=list
    )


def viewer_actions(
    info: Info, view: RolloutView, actions: list[RolloutAction] | None = None
) -> list[ViewerAction]:
    """What the viewer may do to a rollout now, in the order asked; without `actions`, of each.

    It asks for the viewer and the time, so that no kept answer has it.
    """
    refusals = availability(view)
    unreachable = _unreachable(info.context, view.ref.cluster)
    return [
        _forbidden(info.context, action, view)
        or _not_applicable(action, refusals.get(action.verb))
        or (unreachable and _denied(action, *unreachable))
        or ViewerAction(action=action, allowed=True)
        for action in dict.fromkeys(RolloutAction if actions is None else actions)
    ]


def _forbidden(context: Context, action: RolloutAction, view: RolloutView) -> ViewerAction | None:
    decision = context.rights.may(action.verb, view.ref, view)
    if decision.allowed:
        return None
    denied = _denied(action, ActionDenialReason.FORBIDDEN, decision.message)
    denied.missing_scopes = list(decision.missing_scopes)
    return denied


def _not_applicable(action: RolloutAction, refusal: Refusal | None) -> ViewerAction | None:
    if refusal is None:
        return None
    return _denied(action, ActionDenialReason.NOT_APPLICABLE, refusal.message)


def _unreachable(context: Context, name: str) -> tuple[ActionDenialReason, str] | None:
    """Why nothing can be done on a cluster now, whatever it is."""
    cluster = context.cluster(name)
    if cluster is None or cluster.status is ConnectionStatus.DISCONNECTED:
        # What exactly is wrong with a cluster, not everybody may know who sees a rollout on it.
        return ActionDenialReason.CLUSTER_UNAVAILABLE, f"{name} cannot be reached now"
    if cluster.stale(context.now, context.patience):
        return (
            ActionDenialReason.STALE_STATE,
            f"{name} has been silent for too long to tell where the rollout is",
        )
    return None


def _denied(action: RolloutAction, reason: ActionDenialReason, message: str) -> ViewerAction:
    return ViewerAction(action=action, allowed=False, reason=reason, message=message or None)
