"""The root of all subscriptions: the state first, then each change once, in order.

The resolvers make streams; `streaming` executes what is selected on each event.
"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar, cast

import strawberry

from rollgraph.core.errors import BadRequestError, NotAllowedError
from rollgraph.core.filtering import predicate
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.schema.clusterfilter import cluster_predicate
from rollgraph.schema.connections import FILTER
from rollgraph.schema.context import Context, Info
from rollgraph.schema.described import text
from rollgraph.schema.guard import guarded
from rollgraph.schema.inputs import ClusterFilter, RolloutFilter
from rollgraph.schema.streams.analysis import said_of_runs
from rollgraph.schema.streams.clusters import ClusterStream
from rollgraph.schema.streams.rollouts import RolloutStream, Wanted
from rollgraph.schema.streams.summaries import SummaryStream, Tile
from rollgraph.schema.streams.telling import EventKind
from rollgraph.schema.streams.wording import Wording
from rollgraph.schema.types.action_targets import RolloutRefInput
from rollgraph.schema.types.events import (
    RolloutEvent,
    analysis_run_event,
    rollout_event,
)
from rollgraph.schema.types.fleet_events import (
    ClusterConnectionChangedEvent,
    RolloutSummaryChangedEvent,
    cluster_event,
    summary_event,
)
from rollgraph.schema.types.step_progress import (
    StepProgressEvent,
    said_of_steps,
    step_progress_event,
)
from rollgraph.schema.types.summary import RolloutGroupKey, summary

# A second is as often as a person looks at a number; an hour is longer than any stream needs.
SHORTEST, LONGEST = timedelta(milliseconds=1), timedelta(hours=1)
SUMMARY_EVERY = timedelta(seconds=1)

DEFAULT_GROUPS: list[RolloutGroupKey] = [RolloutGroupKey.PHASE]

ROLLOUT = strawberry.argument(description="The rollout. It need not exist (yet).")
AFTER = strawberry.argument(
    description="The `cursor` of the last event that you have got: the stream continues there."
)
ResumeAfter = Annotated[str | None, AFTER]
MIN_INTERVAL = strawberry.argument(
    description="The shortest time between two events of one rollout; what happens in between is "
    "told as one."
)

T = TypeVar("T")


def subscribed(resolver: Callable[..., Any]) -> Any:
    """Makes a method a field of subscriptions whose description is the method's docstring."""
    return strawberry.subscription(resolver, description=text(resolver))


@strawberry.type(description="What can be subscribed to.")
class Subscription:
    """What can be subscribed to."""

    @guarded(verb=Verb.WATCH)
    @subscribed
    def rollout_changed(
        self,
        info: Info,
        rollout: Annotated[RolloutRefInput, ROLLOUT],
        resume_after: ResumeAfter = None,
    ) -> AsyncIterator[RolloutEvent]:
        """One rollout: a SNAPSHOT of its state first, then each change, once and in order.

        A rollout that does not exist is told as ADDED once it does.
        """
        wanted = Wanted(
            Wording(rollout_event),
            ref=_watched(info, rollout),
            resume_after=_after(info, resume_after),
        )
        return _events(RolloutEvent, RolloutStream(info.context, wanted))

    @guarded(verb=Verb.WATCH)
    @subscribed
    def rollout_events(
        self,
        info: Info,
        filter: Annotated[RolloutFilter | None, FILTER] = None,
        kinds: Annotated[
            list[EventKind] | None,
            strawberry.argument(description="Only events of these kinds, and RESYNC."),
        ] = None,
        include_initial: Annotated[
            bool,
            strawberry.argument(description="Whether the state comes first, as SNAPSHOTs."),
        ] = True,
        min_interval: Annotated[timedelta | None, MIN_INTERVAL] = None,
        resume_after: ResumeAfter = None,
    ) -> AsyncIterator[RolloutEvent]:
        """All rollouts that match: a SNAPSHOT of each first, then each change, once and in order.

        A rollout that begins to match is told as ADDED, one that ceases to as DELETED. A reader who
        is too slow for all changes gets the latest of each rollout, and if even that is too much,
        RESYNC and the state anew.
        """
        wanted = Wanted(
            Wording(rollout_event, kinds=None if kinds is None else frozenset(kinds)),
            filter=filter.core() if filter else None,
            initial=include_initial,
            interval=_interval(min_interval),
            resume_after=_after(info, resume_after),
        )
        return _events(RolloutEvent, RolloutStream(info.context, wanted))

    @guarded(verb=Verb.WATCH)
    @subscribed
    def step_progress(
        self,
        info: Info,
        rollout: Annotated[RolloutRefInput, ROLLOUT],
        resume_after: ResumeAfter = None,
    ) -> AsyncIterator[StepProgressEvent]:
        """How one canary goes through its steps: how it is first, then one event for each change.

        What happens at once is one event here, named by what matters most: the step, then the
        phase, weight, analysis and pods.
        """
        wanted = Wanted(
            Wording(step_progress_event, says=said_of_steps),
            ref=_watched(info, rollout),
            resume_after=_after(info, resume_after),
        )
        return _events(StepProgressEvent, RolloutStream(info.context, wanted))

    @guarded(verb=Verb.WATCH, scope=Scope.ANALYSIS_READ, object="analysisrun")
    @subscribed
    def analysis_run_changed(
        self,
        info: Info,
        rollout: Annotated[RolloutRefInput, ROLLOUT],
        resume_after: ResumeAfter = None,
    ) -> AsyncIterator[RolloutEvent]:
        """The analysis runs of one rollout: a SNAPSHOT of each first, then each change of one.

        Each is an `AnalysisRunChangedEvent`; DELETED and RESYNC are told, too.
        """
        wanted = Wanted(
            Wording(analysis_run_event, says=said_of_runs),
            ref=_watched(info, rollout),
            resume_after=_after(info, resume_after),
        )
        return _events(RolloutEvent, RolloutStream(info.context, wanted))

    @guarded(verb=Verb.WATCH, object="cluster")
    @subscribed
    def cluster_connection_changed(
        self,
        info: Info,
        filter: Annotated[ClusterFilter | None, FILTER] = None,
        resume_after: ResumeAfter = None,
    ) -> AsyncIterator[ClusterConnectionChangedEvent]:
        """How well clusters are watched: a SNAPSHOT of each first, then each change."""
        stream = ClusterStream(
            info.context,
            cluster_predicate(filter),
            cluster_event,
            _after(info, resume_after),
        )
        return _events(ClusterConnectionChangedEvent, stream)

    @guarded(verb=Verb.WATCH)
    @subscribed
    def rollout_summary_changed(
        self,
        info: Info,
        filter: Annotated[RolloutFilter | None, FILTER] = None,
        group_by: Annotated[
            list[RolloutGroupKey], strawberry.argument(description="What a bucket has in common.")
        ] = DEFAULT_GROUPS,
        min_interval: Annotated[
            timedelta,
            strawberry.argument(description="The shortest time between two events."),
        ] = SUMMARY_EVERY,
    ) -> AsyncIterator[RolloutSummaryChangedEvent]:
        """Rollouts counted in groups, and again whenever a count is another one: for tiles.

        There is no cursor: whoever comes back is told the counts of then.
        """
        wanted = filter.core() if filter else None
        tile = Tile(
            predicate(wanted),
            lambda context: summary(context, filter, group_by),
            summary_event,
            key=(wanted, tuple(group_by)),
        )
        pace = max(_interval(min_interval) or SUMMARY_EVERY, SUMMARY_EVERY)
        return _events(RolloutSummaryChangedEvent, SummaryStream(info.context, tile, pace))


def _events(_: type[T], stream: object) -> AsyncIterator[T]:
    """A stream, whose events become objects of a type when they are executed."""
    return cast("AsyncIterator[T]", stream)


def _watched(info: Info, rollout: RolloutRefInput) -> RolloutRef:
    """The rollout that is meant.

    Raises `NotAllowedError` if the viewer may see it and not watch it. That they may not even see
    it is not said: it is as if it did not exist.
    """
    ref = rollout.ref("rollout")
    context: Context = info.context
    view = context.fleet.rollout(ref)
    decision = context.may(Verb.WATCH, ref)
    if view is not None and not decision.allowed and not decision.missing_scopes:
        raise NotAllowedError(decision, Verb.WATCH.value)
    return ref


def _after(info: Info, resume_after: str | None) -> str:
    return resume_after or info.context.resume_after


def _interval(asked: timedelta | None) -> timedelta | None:
    if asked is not None and not SHORTEST <= asked <= LONGEST:
        raise BadRequestError("`minInterval` is from a millisecond (PT0.001S) to an hour (PT1H)")
    return asked
