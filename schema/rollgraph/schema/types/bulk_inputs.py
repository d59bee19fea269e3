"""What callers say of one action on many rollouts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import strawberry

from rollgraph.acting.request import MAX_BULK, BulkRequest, Listed, Matching, Targets
from rollgraph.core.actions import action as core
from rollgraph.core.actions.action import Action
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.inputs import RolloutFilter
from rollgraph.schema.types.action_inputs import ActionInput
from rollgraph.schema.types.action_targets import BadInputError, RolloutRefInput
from rollgraph.schema.types.viewer_actions import RolloutAction

T = TypeVar("T")


@strawberry.input(
    one_of=True, description="Many rollouts: a list of them, or all for which a filter holds."
)
class RolloutTargetsInput:
    """Many rollouts: a list of them, or all for which a filter holds."""

    rollouts: list[RolloutRefInput] | None = strawberry.field(
        description="These, in this order; at most 500.", default=strawberry.UNSET
    )
    filter: RolloutFilter | None = strawberry.field(
        description="All that match and that the viewer sees; at most 500. First with `dryRun`, "
        "then with the `token` of its answer.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="One action on many rollouts.")
class BulkRolloutActionInput(ActionInput):
    """One action on many rollouts."""

    action: RolloutAction = strawberry.field(
        description="What to do; anything but `TERMINATE`, which needs a name."
    )
    targets: RolloutTargetsInput = strawberry.field(description="Which rollouts.")
    token: str | None = strawberry.field(
        description="From the answer to the same with `dryRun` and a filter. It acts on exactly "
        "the rollouts of that answer, and on each only where it was then.",
        default=None,
    )
    stop_on_first_error: bool = strawberry.field(
        description="Whether no further rollout is begun once one has failed.", default=False
    )
    to_step_index: int | None = strawberry.field(
        description="For `JUMP_TO_STEP`: the step, from 0.", default=None
    )
    at: datetime | None = strawberry.field(
        description="For `RESTART`: when; now, without.", default=None
    )
    to_revision: int | None = strawberry.field(
        description="For `UNDO`: the revision; the one before the present one, without.",
        default=None,
    )
    full: bool | None = strawberry.field(
        description="For `UNDO`: whether the steps are skipped.", default=None
    )
    container: str | None = strawberry.field(
        description="For `SET_IMAGE`: the container's name; `*` for all.", default=None
    )
    image: str | None = strawberry.field(
        description="For `SET_IMAGE`: the image, with a tag or a digest.", default=None
    )

    def request(self, now: datetime) -> BulkRequest:
        """All of it as acting takes it; `BadInputError` for what makes no sense."""
        self.check()
        self._check_arguments()
        return BulkRequest(
            self._action(now),
            self._targets(),
            reason=self.reason,
            dry_run=self.dry_run,
            stop_on_first_error=self.stop_on_first_error,
            idempotency_key=self.idempotency_key or "",
        )

    def _targets(self) -> Targets:
        if self.targets.filter:
            return Matching(self.targets.filter.core(), self.token or "")
        if self.token is not None:
            raise BadInputError("a list of rollouts takes no token: leave it out", "token")
        return Listed(_refs(self.targets.rollouts or ()))

    def _check_arguments(self) -> None:
        """Refuses arguments of another action: whoever gives them means something else."""
        for name, (argument, taker) in _ARGUMENTS.items():
            if taker is not self.action and getattr(self, argument) is not None:
                raise BadInputError(f"only {taker.name} takes it, not {self.action.name}", name)

    def _action(self, now: datetime) -> Action:
        match self.action:
            case RolloutAction.JUMP_TO_STEP:
                return core.JumpToStep(_given(self.to_step_index, "toStepIndex"))
            case RolloutAction.RESTART:
                return core.Restart(self.at or now)
            case RolloutAction.UNDO:
                return core.Undo(self.to_revision, bool(self.full))
            case RolloutAction.SET_IMAGE:
                container = _given(self.container, "container")
                return core.SetImage(container, _given(self.image, "image"))
            case RolloutAction.TERMINATE:
                raise BadInputError(
                    "names one run: use `terminateAnalysisRun` or `terminateExperiment`", "action"
                )
            case plain:
                return _PLAIN[plain]


_PLAIN: Mapping[RolloutAction, Action] = {
    RolloutAction.PROMOTE: core.Promote(),
    RolloutAction.PROMOTE_FULL: core.PromoteFull(),
    RolloutAction.SKIP_STEP: core.SkipStep(),
    RolloutAction.ABORT: core.Abort(),
    RolloutAction.RETRY: core.Retry(),
    RolloutAction.PAUSE: core.Pause(),
    RolloutAction.RESUME: core.Resume(),
}
# Arguments by their names in the schema, with the one action that takes them.
_ARGUMENTS: Mapping[str, tuple[str, RolloutAction]] = {
    "toStepIndex": ("to_step_index", RolloutAction.JUMP_TO_STEP),
    "at": ("at", RolloutAction.RESTART),
    "toRevision": ("to_revision", RolloutAction.UNDO),
    "full": ("full", RolloutAction.UNDO),
    "container": ("container", RolloutAction.SET_IMAGE),
    "image": ("image", RolloutAction.SET_IMAGE),
}


def _refs(rollouts: Sequence[RolloutRefInput]) -> tuple[RolloutRef, ...]:
    path = ("targets", "rollouts")
    if not 0 < len(rollouts) <= MAX_BULK:
        raise BadInputError(f"between 1 and {MAX_BULK} rollouts, got {len(rollouts)}", *path)
    refs: dict[RolloutRef, int] = {}
    for place, item in enumerate(rollouts):
        ref = item.ref(*path, str(place))
        if ref in refs:
            raise BadInputError(f"{ref} is there already, at {refs[ref]}", *path, str(place))
        refs[ref] = place
    return tuple(refs)


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise BadInputError("the action needs it", name)
    return value
