"""One allowed action on the spoke that it is for: opened, as somebody, within a time."""

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from random import Random
from typing import Any, TypeVar

import anyio
import msgspec

from rollgraph.access.caller import Caller
from rollgraph.acting.arrivals import ARRIVES_WITHIN, Arrivals
from rollgraph.acting.failures import failure_of, in_part
from rollgraph.acting.identities import Identities
from rollgraph.acting.operation import Operation, time_for
from rollgraph.acting.outcome import Failure, Forbidden, NotFound, Outcome, TimedOut
from rollgraph.acting.pacing import Pace
from rollgraph.acting.patchers import Patchers, Seat
from rollgraph.acting.request import ActionRequest
from rollgraph.acting.sending import Sender
from rollgraph.core.actions.plan import Manifest
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.errors import (
    ForbiddenError,
    RollgraphError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.identity import Identity, PassedThrough
from rollgraph.ports import Clock, Mirror, Tracing

# Seconds before the end of a request at which an action ends, so that it can still be told.
MARGIN = 0.5

_T = TypeVar("_T")


class Performer:
    """Performs actions; who may is not asked here.

    Args:
        patchers: The spokes.
        identities: As whom.
        arrivals: Tells when a change has come back by the watch.
        mirror: What is known of the clusters.
        clock: The time of day.
        rng: Chance for pauses.
        tracing: Follows what is sent.
    """

    def __init__(
        self,
        patchers: Patchers,
        identities: Identities,
        arrivals: Arrivals,
        mirror: Mirror,
        clock: Clock,
        rng: Random,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._patchers = patchers
        self._identities = identities
        self._arrivals = arrivals
        self._mirror = mirror
        self._clock = clock
        self._rng = rng

    async def perform(
        self, caller: Caller, request: ActionRequest, request_id: str, operation_id: str
    ) -> Outcome:
        """What came of it. Once begun it ends as it should, even if nobody waits any more."""
        end = anyio.current_effective_deadline() - MARGIN
        seconds = min(time_for(request.action), end - anyio.current_time())
        blank = nothing(request, operation_id)
        if seconds <= 0:
            late = TimedOut("there was no time left to begin: nothing was sent")
            return msgspec.structs.replace(blank, failure=late)
        with anyio.CancelScope(shield=True):
            outcome = await self._perform(caller, request, request_id, blank, seconds)
            if outcome.applied and outcome.after:
                left = min(ARRIVES_WITHIN, end - anyio.current_time())
                seen = await self._arrivals.reached(request.ref, outcome.after, left)
                outcome = msgspec.structs.replace(outcome, stale=not seen)
        return outcome

    async def _perform(
        self,
        caller: Caller,
        request: ActionRequest,
        request_id: str,
        blank: Outcome,
        seconds: float,
    ) -> Outcome:
        pace = Pace(seconds, self._rng)
        for again in (True, False):
            seat = self._patchers.seat(request.ref.cluster)
            if seat is None or not _watched(seat, request):
                return msgspec.structs.replace(blank, failure=_nowhere(request))
            attempt = _Attempt(caller, request, request_id, pace)
            outcome = await self._attempt(seat, attempt, blank)
            if not (again and attempt.expired):
                break
            await self._patchers.renew(seat)
        return outcome

    async def _attempt(self, seat: Seat, attempt: "_Attempt", blank: Outcome) -> Outcome:
        """Performs it at one seat."""
        failure: Failure | None
        operation: Operation | None = None
        as_: Identity | None = None
        request, pace = attempt.request, attempt.pace
        try:
            async with AsyncExitStack() as stack:
                patcher = await _in_time(pace, stack.enter_async_context(seat.patcher()))
                whom = self._identities.of(
                    attempt.caller, seat.spoke, seat.allowances, patcher, attempt.request_id
                )
                found = await _in_time(pace, whom)
                if isinstance(found, Forbidden):
                    return msgspec.structs.replace(blank, failure=found)
                as_ = found
                sender = Sender(patcher, as_, pace, dry_run=request.dry_run, tracing=self._tracing)
                operation = Operation(
                    request, sender, pace, self._clock, self._rng, self._remembered(request)
                )
                failure = await operation.run()
        except RollgraphError as error:
            cluster = self._mirror.cluster(seat.spoke.name)
            last_seen = cluster.confirmed_at if cluster is not None else None
            failure = failure_of(error, seat.spoke.name, last_seen, as_)
            begun = operation is not None and operation.sent > 0
            attempt.expired = (
                isinstance(error, UnauthenticatedError)
                and not isinstance(as_, PassedThrough)
                and not begun
            )
            if isinstance(error, ForbiddenError):
                seat.allowances.forget()
        return _outcome(blank, operation, as_, failure)

    def _remembered(self, request: ActionRequest) -> Manifest | None:
        """The rollout as the watch brought it last, while there is a watch to rely on."""
        cluster = self._mirror.cluster(request.ref.cluster)
        view = self._mirror.rollout(request.ref)
        if cluster is None or cluster.status is not ConnectionStatus.CONNECTED or view is None:
            return None
        held = view.rollout.manifest_json
        return msgspec.json.decode(held, type=dict[str, Any]) if held else None


class _Attempt:
    """One try to perform a request.

    Attributes:
        expired: Our own credentials have come to an end; others may be had.
    """

    def __init__(self, caller: Caller, request: ActionRequest, request_id: str, pace: Pace) -> None:
        self.caller = caller
        self.request = request
        self.request_id = request_id
        self.pace = pace
        self.expired = False


def nothing(request: ActionRequest, operation_id: str) -> Outcome:
    """The outcome of a request of which nothing has come yet."""
    return Outcome(
        ref=request.ref,
        verb=request.action.verb,
        operation_id=operation_id,
        dry_run=request.dry_run,
    )


def _outcome(
    blank: Outcome, operation: Operation | None, as_: Identity | None, failure: Failure | None
) -> Outcome:
    acted_as = "" if as_ is None else str(as_)
    if operation is None:
        return msgspec.structs.replace(blank, acted_as=acted_as, failure=failure)
    if failure is not None and operation.sent > 0 and not blank.dry_run:
        failure = in_part(failure, operation.message)
    return msgspec.structs.replace(
        blank,
        message="" if failure is not None else operation.message,
        patches=tuple(operation.patches),
        sent=operation.sent,
        before=operation.before,
        after=operation.after,
        uid=operation.uid,
        acted_as=acted_as,
        failure=failure,
    )


async def _in_time(pace: Pace, call: Awaitable[_T]) -> _T:
    try:
        return await pace.within(call)
    except TimeoutError:
        raise UnreachableError("the cluster gave no answer in time") from None


def _watched(seat: Seat, request: ActionRequest) -> bool:
    """Whether the rollout is in a part of the cluster that Rollgraph is for."""
    namespaces = seat.spoke.namespaces
    return not namespaces or request.ref.namespace in namespaces


def _nowhere(request: ActionRequest) -> NotFound:
    return NotFound(f"there is no rollout {str(request.ref)!r} in this fleet")
