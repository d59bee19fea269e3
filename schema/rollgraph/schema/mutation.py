"""The root of all actions. Each asks `acting`, which alone reaches the clusters.

A mutation has one verb, so that its directive tells the truth about the right that it takes.
"""

from operator import methodcaller
from typing import Annotated

import strawberry

from rollgraph.core.errors import BadRequestError
from rollgraph.core.verbs import Verb
from rollgraph.schema.context import Info
from rollgraph.schema.described import resolved
from rollgraph.schema.guard import Guard, Problem, guarded
from rollgraph.schema.outcomes import bulk_payload, payload, unfit, unfit_bulk
from rollgraph.schema.types.action_inputs import (
    AbortRolloutInput,
    JumpToRolloutStepInput,
    PauseRolloutInput,
    PromoteRolloutFullInput,
    PromoteRolloutInput,
    RestartRolloutInput,
    ResumeRolloutInput,
    RetryRolloutInput,
    SetRolloutImageInput,
    SingleInput,
    SkipRolloutStepInput,
    TerminateAnalysisRunInput,
    TerminateExperimentInput,
    UndoRolloutInput,
)
from rollgraph.schema.types.bulk_inputs import BulkRolloutActionInput
from rollgraph.schema.types.bulk_payload import BulkRolloutActionPayload
from rollgraph.schema.types.payloads import RolloutActionPayload

INPUT = strawberry.argument(description="What to do it to, and how.")


async def act(info: Info, input: SingleInput) -> RolloutActionPayload:
    """Has an action carried out, and tells what came of it."""
    context = info.context
    try:
        request = input.request(context.now)
    except BadRequestError as error:
        return unfit(input, error)
    outcome = await context.actor.act(context.caller, request, context.request_id)
    return payload(info, outcome, input.client_mutation_id)


async def refused(info: Info, input: SingleInput, _: Problem) -> RolloutActionPayload:
    """Answers for who may not, or whose input makes no sense.

    It asks `acting` all the same, which decides alike and leaves a trace of it.
    """
    return await act(info, input)


def action(verb: Verb, object: str = "rollout") -> Guard:
    """The guard of an action: it needs the right to it on the very rollout that is meant."""
    return Guard(verb=verb, object=object, target=methodcaller("target"), refused=refused)


@strawberry.type(description="What can be done.")
class Mutation:
    """What can be done."""

    @action(Verb.PROMOTE)
    @resolved
    async def promote_rollout(
        self, info: Info, input: Annotated[PromoteRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Goes on: ends a pause, takes an inconclusive analysis for good, or leaves a step.

        With `expectedStepIndex` a second click does not skip a step.
        """
        return await act(info, input)

    @action(Verb.PROMOTE_FULL)
    @resolved
    async def promote_rollout_full(
        self, info: Info, input: Annotated[PromoteRolloutFullInput, INPUT]
    ) -> RolloutActionPayload:
        """Skips all steps, pauses and analyses that are left."""
        return await act(info, input)

    @action(Verb.SKIP_STEP)
    @resolved
    async def skip_rollout_step(
        self, info: Info, input: Annotated[SkipRolloutStepInput, INPUT]
    ) -> RolloutActionPayload:
        """Leaves the current step as if it were done."""
        return await act(info, input)

    @action(Verb.JUMP_TO_STEP)
    @resolved
    async def jump_to_rollout_step(
        self, info: Info, input: Annotated[JumpToRolloutStepInput, INPUT]
    ) -> RolloutActionPayload:
        """Makes another step the current one, earlier or later."""
        return await act(info, input)

    @action(Verb.ABORT)
    @resolved
    async def abort_rollout(
        self, info: Info, input: Annotated[AbortRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Takes all traffic back to the stable version, even from a full promotion under way."""
        return await act(info, input)

    @action(Verb.RETRY)
    @resolved
    async def retry_rollout(
        self, info: Info, input: Annotated[RetryRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Tries an aborted update again, from its first step."""
        return await act(info, input)

    @action(Verb.PAUSE)
    @resolved
    async def pause_rollout(
        self, info: Info, input: Annotated[PauseRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Holds the rollout where it is, until it is resumed."""
        return await act(info, input)

    @action(Verb.RESUME)
    @resolved
    async def resume_rollout(
        self, info: Info, input: Annotated[ResumeRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Ends what `pauseRollout` began, and nothing else: a pause of a step stays."""
        return await act(info, input)

    @action(Verb.RESTART)
    @resolved
    async def restart_rollout(
        self, info: Info, input: Annotated[RestartRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Replaces all pods, a few at a time, now or later."""
        return await act(info, input)

    @action(Verb.UNDO)
    @resolved
    async def undo_rollout(
        self, info: Info, input: Annotated[UndoRolloutInput, INPUT]
    ) -> RolloutActionPayload:
        """Brings back an earlier revision's pod template."""
        return await act(info, input)

    @action(Verb.SET_IMAGE)
    @resolved
    async def set_rollout_image(
        self, info: Info, input: Annotated[SetRolloutImageInput, INPUT]
    ) -> RolloutActionPayload:
        """Sets the image of a container, which begins an update."""
        return await act(info, input)

    @action(Verb.TERMINATE, "analysisrun")
    @resolved
    async def terminate_analysis_run(
        self, info: Info, input: Annotated[TerminateAnalysisRunInput, INPUT]
    ) -> RolloutActionPayload:
        """Ends an analysis run; what it has measured decides."""
        return await act(info, input)

    @action(Verb.TERMINATE, "experiment")
    @resolved
    async def terminate_experiment(
        self, info: Info, input: Annotated[TerminateExperimentInput, INPUT]
    ) -> RolloutActionPayload:
        """Ends an experiment."""
        return await act(info, input)

    @guarded()
    @resolved
    async def bulk_rollout_action(
        self, info: Info, input: Annotated[BulkRolloutActionInput, INPUT]
    ) -> BulkRolloutActionPayload:
        """Does the same to many rollouts, across clusters; each comes out by itself.

        It takes the right to the action on each rollout. With a filter it runs twice: with `dryRun`
        it tells what it would touch, and with the `token` of that answer it acts on just these.
        """
        context = info.context
        try:
            request = input.request(context.now)
        except BadRequestError as error:
            return unfit_bulk(input, error)
        outcome = await context.actor.bulk(context.caller, request, context.request_id)
        return bulk_payload(info, input, outcome)
