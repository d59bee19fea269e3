"""The one who acts: everything that changes something on a spoke goes through here."""

import uuid
from collections.abc import Callable
from typing import Protocol

import anyio
import msgspec

from rollgraph.access.caller import Caller
from rollgraph.acting.auditing import entry
from rollgraph.acting.bulk import Bulk
from rollgraph.acting.outcome import BulkOutcome, Forbidden, InvalidInput, Outcome
from rollgraph.acting.performing import Performer, nothing
from rollgraph.acting.repeats import Repeats
from rollgraph.acting.request import ActionRequest, BulkRequest
from rollgraph.acting.tickets import Tickets
from rollgraph.core.audit import AuditEntry
from rollgraph.ports import Mirror


class Acting(Protocol):
    """Carries out actions. Neither call raises for anything that a caller or a spoke does.

    A call ends a moment before the deadline of the cancel scope that it is made in, and says then
    what has been done and what has not; being cancelled itself waits for what is under way.
    """

    async def act(self, caller: Caller, request: ActionRequest, request_id: str = "") -> Outcome:
        """Carries out one action: rights, then a fresh read, a plan, patches, the audit.

        The spoke gets no request unless the caller's rights allow the action.
        """

    async def bulk(self, caller: Caller, request: BulkRequest, request_id: str = "") -> BulkOutcome:
        """Carries out one action on many rollouts, some at a time; each as `act` does."""


class Actor:
    """Carries out actions: see `Acting`.

    Args:
        mirror: The fleet's model.
        performer: Performs what is allowed.
        repeats: Keeps what came of requests with a key.
        tickets: Signs what a bulk would touch.
        record: Tells the audit; never waits, never raises.
    """

    def __init__(
        self,
        mirror: Mirror,
        performer: Performer,
        repeats: Repeats,
        tickets: Tickets,
        record: Callable[[AuditEntry], object],
    ) -> None:
        self._mirror = mirror
        self._performer = performer
        self._repeats = repeats
        self._record = record
        self._bulk = Bulk(self._act, self._tell, mirror, tickets)

    async def act(self, caller: Caller, request: ActionRequest, request_id: str = "") -> Outcome:
        """See `Acting`."""
        return await self._act(caller, request, request_id, new_operation())

    async def bulk(self, caller: Caller, request: BulkRequest, request_id: str = "") -> BulkOutcome:
        """See `Acting`."""
        return await self._bulk.run(caller, request, request_id, new_operation())

    async def _act(
        self, caller: Caller, request: ActionRequest, request_id: str, operation_id: str
    ) -> Outcome:
        begun = anyio.current_time()
        decision = caller.rights.may(
            request.action.verb, request.ref, self._mirror.rollout(request.ref)
        )
        outcome = nothing(request, operation_id)
        repeated = False
        if not decision.allowed:
            refused = Forbidden(decision.message, decision)
            outcome = msgspec.structs.replace(outcome, failure=refused)
        else:
            found, repeated = await self._repeats.once(
                caller.viewer,
                request,
                lambda: self._performer.perform(caller, request, request_id, operation_id),
            )
            if isinstance(found, InvalidInput):
                outcome = msgspec.structs.replace(outcome, failure=found)
            else:
                outcome = found
        if not repeated:  # else it is in the audit already
            self._tell(caller, request, outcome, request_id, anyio.current_time() - begun)
        return outcome

    def _tell(
        self,
        caller: Caller,
        request: ActionRequest,
        outcome: Outcome,
        request_id: str,
        seconds: float = 0.0,
    ) -> None:
        self._record(entry(caller.viewer, request, outcome, seconds=seconds, request_id=request_id))


def new_operation() -> str:
    """A name for an operation, which nobody else gives."""
    return str(uuid.uuid4())
