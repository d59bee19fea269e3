"""What callers say of an action: on which rollout, how they saw it, and why."""

from datetime import datetime

import strawberry

from rollgraph.acting.request import ANYWHERE, ActionRequest, Expected
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    Resume,
    Retry,
    SetImage,
    SkipStep,
    TerminateAnalysisRun,
    TerminateExperiment,
    Undo,
)
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.types.action_targets import BadInputError, RolloutRefInput, belonging

# Characters. A sentence or two, and a link: it stands in the audit and in an event on the rollout.
MAX_REASON = 1024
# Characters: a UUID has 36.
MAX_KEY = 128


@strawberry.input(description="What is said of every action.")
class ActionInput:
    """What is said of every action."""

    reason: str = strawberry.field(
        description="Why, for the audit and for an event on the rollout; at most 1,024 characters.",
        default="",
    )
    dry_run: bool = strawberry.field(
        description="Checks everything, on the cluster too, and changes nothing.", default=False
    )
    idempotency_key: str | None = strawberry.field(
        description="Any text of your own, such as a UUID, at most 128 characters: the same "
        "request with the same key is carried out once within 24 hours, and answered alike.",
        default=None,
    )
    client_mutation_id: str | None = strawberry.field(
        description="Comes back in the payload as it is.", default=None
    )

    def check(self) -> None:
        """Raises `BadInputError` for a text that is too long."""
        _bounded(self.reason, MAX_REASON, "reason")
        _bounded(self.idempotency_key or "", MAX_KEY, "idempotencyKey")


class SingleInput(ActionInput):
    """What is said of an action on one rollout."""

    def target(self) -> RolloutRef:
        """The rollout; `BadInputError` if the input names none."""
        raise NotImplementedError

    def action(self, now: datetime) -> Action:
        """What is to be done."""
        raise NotImplementedError

    def request(self, now: datetime) -> ActionRequest:
        """All of it as acting takes it; `BadInputError` for what makes no sense."""
        self.check()
        return ActionRequest(
            self.target(),
            self.action(now),
            self.expected(),
            reason=self.reason,
            dry_run=self.dry_run,
            idempotency_key=self.idempotency_key or "",
        )

    def expected(self) -> Expected:
        """Where the caller saw the rollout."""
        return ANYWHERE


@strawberry.input(description="A rollout that something is to be done to.")
class RolloutInput(SingleInput):
    """A rollout that something is to be done to."""

    rollout: RolloutRefInput = strawberry.field(description="The rollout.")
    expected_step_index: int | None = strawberry.field(
        description="`currentStepIndex` as you saw it. If it is another now, nothing is done: a "
        "second click does not skip a step.",
        default=None,
    )
    expected_pod_template_hash: str | None = strawberry.field(
        description="`currentRevision { podTemplateHash }` as you saw it; if there is a newer "
        "template, nothing is done.",
        default=None,
    )
    expected_resource_version: str | None = strawberry.field(
        description="`resourceVersion` as you saw it; if anything has changed, nothing is done.",
        default=None,
    )

    def target(self) -> RolloutRef:
        """The rollout."""
        return self.rollout.ref("rollout")

    def expected(self) -> Expected:
        """Where the caller saw it."""
        return Expected(
            step_index=self.expected_step_index,
            pod_template_hash=self.expected_pod_template_hash,
            resource_version=self.expected_resource_version,
        )


@strawberry.input(description="A rollout to promote.")
class PromoteRolloutInput(RolloutInput):
    """A rollout to promote."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Promote()


@strawberry.input(description="A rollout to promote in full.")
class PromoteRolloutFullInput(RolloutInput):
    """A rollout to promote in full."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return PromoteFull()


@strawberry.input(description="A rollout whose current step is to be skipped.")
class SkipRolloutStepInput(RolloutInput):
    """A rollout whose current step is to be skipped."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return SkipStep()


@strawberry.input(description="A rollout whose update is to be aborted.")
class AbortRolloutInput(RolloutInput):
    """A rollout whose update is to be aborted."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Abort()


@strawberry.input(description="A rollout whose aborted update is to be tried again.")
class RetryRolloutInput(RolloutInput):
    """A rollout whose aborted update is to be tried again."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Retry()


@strawberry.input(description="A rollout to pause.")
class PauseRolloutInput(RolloutInput):
    """A rollout to pause."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Pause()


@strawberry.input(description="A rollout to resume.")
class ResumeRolloutInput(RolloutInput):
    """A rollout to resume."""

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Resume()


@strawberry.input(description="A rollout, and the step to go to.")
class JumpToRolloutStepInput(RolloutInput):
    """A rollout, and the step to go to."""

    to_step_index: int = strawberry.field(
        description="The step, from 0; as many as there are steps means that all are done."
    )

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return JumpToStep(self.to_step_index)


@strawberry.input(description="A rollout, and when to restart its pods.")
class RestartRolloutInput(RolloutInput):
    """A rollout, and when to restart its pods."""

    at: datetime | None = strawberry.field(
        description="Pods made before it are replaced, once it has come; now, without.",
        default=None,
    )

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Restart(self.at or now)


@strawberry.input(description="A rollout, and the revision to bring back.")
class UndoRolloutInput(RolloutInput):
    """A rollout, and the revision to bring back."""

    to_revision: int | None = strawberry.field(
        description="The revision's number; the one before the present one, without.",
        default=None,
    )
    full: bool = strawberry.field(
        description="Whether the steps are skipped, so that all pods are replaced at once.",
        default=False,
    )

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return Undo(self.to_revision, self.full)


@strawberry.input(description="A rollout, and the image that a container is to have.")
class SetRolloutImageInput(RolloutInput):
    """A rollout, and the image that a container is to have."""

    container: str = strawberry.field(
        description="The container's name, init containers included; `*` for all."
    )
    image: str = strawberry.field(description="The image, with a tag or a digest.")

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return SetImage(self.container, self.image)


@strawberry.input(description="An analysis run that is to end.")
class TerminateAnalysisRunInput(SingleInput):
    """An analysis run that is to end."""

    id: strawberry.ID = strawberry.field(description="The analysis run's global ID.")

    def target(self) -> RolloutRef:
        """The rollout that it belongs to."""
        return belonging(self.id, "AnalysisRun", "id")[0]

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return TerminateAnalysisRun(belonging(self.id, "AnalysisRun", "id")[1])


@strawberry.input(description="An experiment that is to end.")
class TerminateExperimentInput(SingleInput):
    """An experiment that is to end."""

    id: strawberry.ID = strawberry.field(description="The experiment's global ID.")

    def target(self) -> RolloutRef:
        """The rollout that it belongs to."""
        return belonging(self.id, "Experiment", "id")[0]

    def action(self, now: datetime) -> Action:
        """Of `SingleInput`."""
        return TerminateExperiment(belonging(self.id, "Experiment", "id")[1])


def _bounded(text: str, most: int, *path: str) -> None:
    if len(text) > most:
        raise BadInputError(f"at most {most} characters, got {len(text)}", *path)
