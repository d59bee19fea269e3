"""One action on many rollouts: some at a time, each with an outcome of its own."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeAlias

import anyio
import msgspec
import structlog

from rollgraph.access.caller import Caller
from rollgraph.acting.outcome import (
    BulkOutcome,
    Failure,
    InvalidInput,
    NotApplicable,
    Outcome,
    TimedOut,
)
from rollgraph.acting.performing import MARGIN, nothing
from rollgraph.acting.request import MAX_BULK, ActionRequest, BulkRequest, Listed
from rollgraph.acting.tickets import Item, Tickets
from rollgraph.core.errors import BadRequestError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility
from rollgraph.ports import Mirror

# Rollouts that all bulks act on at the same time: on one cluster so few that its API server, which
# limits who asks too much, goes on to serve others; on all so few that who acts on one rollout
# waits no longer for it.
PER_CLUSTER = 4
AT_ONCE = 24

# Carries out one action: caller, request, request id, operation id.
Act: TypeAlias = Callable[[Caller, ActionRequest, str, str], Awaitable[Outcome]]
# Tells the audit what came of one that was not carried out: caller, request, outcome, request id.
Tell: TypeAlias = Callable[[Caller, ActionRequest, Outcome, str], None]

_log = structlog.get_logger(__name__)


class Bulk:
    """Carries out bulks.

    Args:
        act: Carries out one action, and tells the audit.
        tell: Tells the audit of one that is not begun.
        mirror: Finds what a filter means.
        tickets: Signs what a filter was found to mean.
    """

    def __init__(self, act: Act, tell: Tell, mirror: Mirror, tickets: Tickets) -> None:
        self._act = act
        self._tell = tell
        self._mirror = mirror
        self._tickets = tickets
        self._at_once = anyio.Semaphore(AT_ONCE)
        self._per_cluster: dict[str, anyio.Semaphore] = {}

    async def run(
        self, caller: Caller, request: BulkRequest, request_id: str, operation_id: str
    ) -> BulkOutcome:
        """What came of it: an outcome for each rollout, whatever happened to the others."""
        try:
            items = self._items(caller, request)
        except BadRequestError as error:
            failure = InvalidInput(str(error), ("targets",))
            return BulkOutcome(operation_id=operation_id, failure=failure)
        run = _Run(caller, request, request_id, operation_id, items)
        async with anyio.create_task_group() as tasks:
            for index in range(len(items)):
                tasks.start_soon(self._one, run, index)
        return self._told(run)

    def _items(self, caller: Caller, request: BulkRequest) -> list[Item]:
        targets = request.targets
        if isinstance(targets, Listed):
            items = [_unseen(ref) for ref in dict.fromkeys(targets.refs)]
        elif targets.token:
            items = self._tickets.read(targets.token, caller.viewer, request.action)
        elif request.dry_run:
            views = self._mirror.matching(targets.filter, _visible(caller))
            items = [_seen(view) for view in sorted(views, key=lambda view: view.ref)]
        else:
            raise BadRequestError(
                "a filter alone says not what will be touched: make a dry run first, and pass its"
                " token"
            )
        if len(items) > MAX_BULK:
            raise BadRequestError(
                f"{len(items)} rollouts: expected {MAX_BULK} at most; narrow the filter or list"
                " fewer"
            )
        return items

    async def _one(self, run: "_Run", index: int) -> None:
        """Carries out one of them when it is its turn; nothing that happens to it is passed on."""
        one, begun = run.request_of(index), True
        try:
            async with AsyncExitStack() as turn:
                await turn.enter_async_context(self._limit(one.ref.cluster))
                await turn.enter_async_context(self._at_once)
                failure = run.not_begun()
                if failure is None:
                    run.outcomes[index] = outcome = await self._act(
                        run.caller, one, run.request_id, run.operation_id
                    )
                    run.failed = run.failed or outcome.failure is not None
                    return
                begun = False
        except Exception as error:  # noqa: BLE001 - the others go on, and this one is told, too
            _log.error("bulk_item_failed", rollout=str(one.ref), exc_info=error)
            failure = TimedOut(
                "internal error, see the log by its request id; it may have been done", unknown=True
            )
            run.failed = True
        empty = nothing(one, run.operation_id)
        outcome = msgspec.structs.replace(empty, failure=failure, begun=begun)
        run.outcomes[index] = outcome
        self._tell(run.caller, one, outcome, run.request_id)

    def _limit(self, cluster: str) -> anyio.Semaphore:
        """The turn on one cluster. There are as many as clusters have ever been named in a bulk."""
        if cluster not in self._per_cluster:
            if self._mirror.cluster(cluster) is None:
                return anyio.Semaphore(1)
            self._per_cluster[cluster] = anyio.Semaphore(PER_CLUSTER)
        return self._per_cluster[cluster]

    def _told(self, run: "_Run") -> BulkOutcome:
        outcomes = tuple(outcome for outcome in run.outcomes if outcome is not None)
        assert len(outcomes) == len(run.items)
        if isinstance(run.request.targets, Listed) or not run.request.dry_run:
            return BulkOutcome(operation_id=run.operation_id, outcomes=outcomes)
        token, until = self._tickets.write(run.caller.viewer, run.request.action, run.items)
        return BulkOutcome(
            operation_id=run.operation_id, outcomes=outcomes, token=token, expires_at=until
        )


class _Run:
    """One bulk under way."""

    def __init__(
        self,
        caller: Caller,
        request: BulkRequest,
        request_id: str,
        operation_id: str,
        items: Sequence[Item],
    ) -> None:
        self.caller = caller
        self.request = request
        self.request_id = request_id
        self.operation_id = operation_id
        self.items = list(items)
        self.outcomes: list[Outcome | None] = [None] * len(items)
        self.failed = False

    def request_of(self, index: int) -> ActionRequest:
        """What is asked of one of them."""
        item, request = self.items[index], self.request
        key = f"{request.idempotency_key} {item.ref}" if request.idempotency_key else ""
        return ActionRequest(
            ref=item.ref,
            action=request.action,
            expected=item.expected,
            reason=request.reason,
            dry_run=request.dry_run,
            idempotency_key=key,
        )

    def not_begun(self) -> Failure | None:
        """Why the next one is not begun any more."""
        if self.failed and self.request.stop_on_first_error:
            return NotApplicable(
                "not begun, since another rollout of this request failed first", retryable=True
            )
        if anyio.current_effective_deadline() - anyio.current_time() <= MARGIN:
            return TimedOut("not begun: there was no time left in this request; repeat it")
        return None


def _unseen(ref: RolloutRef) -> Item:
    return Item(ref.cluster, ref.namespace, ref.name, "")


def _seen(view: RolloutView) -> Item:
    rollout = view.rollout
    return Item(
        view.ref.cluster,
        view.ref.namespace,
        view.ref.name,
        rollout.metadata.resource_version,
        view.step_index,
        rollout.status.current_pod_hash,
    )


def _visible(caller: Caller) -> Visibility | None:
    rights = caller.rights
    return None if rights.sees_all else Visibility(rights.key, rights.sees)
