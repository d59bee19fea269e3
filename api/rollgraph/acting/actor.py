"""The one who acts: everything that changes something on a spoke goes through here."""

from typing import Protocol

from rollgraph.access.caller import Caller
from rollgraph.acting.outcome import BulkOutcome, Outcome
from rollgraph.acting.request import ActionRequest, BulkRequest


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
