"""An actor that does nothing but say what it is told to say, and remember what it was asked."""

from collections.abc import Callable

from rollgraph.access.caller import Caller
from rollgraph.acting.outcome import BulkOutcome, Failure, Outcome
from rollgraph.acting.request import ActionRequest, BulkRequest


class ToldActor:
    """An `Acting` whose every outcome a test decides.

    Args:
        says: What came of a request.
        says_of_many: What came of one for many rollouts.

    Attributes:
        asked: What it was asked to do, with the caller's name and the request's id.
    """

    def __init__(
        self,
        says: Callable[[ActionRequest], Outcome],
        says_of_many: Callable[[BulkRequest], BulkOutcome] | None = None,
    ) -> None:
        self._says = says
        self._says_of_many = says_of_many
        self.asked: list[tuple[str, ActionRequest | BulkRequest, str]] = []

    async def act(self, caller: Caller, request: ActionRequest, request_id: str = "") -> Outcome:
        """Of the protocol."""
        self.asked.append((caller.viewer.subject, request, request_id))
        return self._says(request)

    async def bulk(self, caller: Caller, request: BulkRequest, request_id: str = "") -> BulkOutcome:
        """Of the protocol."""
        self.asked.append((caller.viewer.subject, request, request_id))
        assert self._says_of_many is not None
        return self._says_of_many(request)


def failing(failure: Failure) -> Callable[[ActionRequest], Outcome]:
    """Outcomes of one failure."""
    return lambda request: Outcome(
        ref=request.ref, verb=request.action.verb, operation_id="op-1", failure=failure
    )
