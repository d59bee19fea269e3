"""Requests that may be repeated: carried out once, answered alike."""

import hashlib
from collections.abc import Awaitable, Callable

import anyio
import msgspec
import structlog

from rollgraph.acting.outcome import InvalidInput, Outcome
from rollgraph.acting.request import ActionRequest, whenever
from rollgraph.core.errors import BrokerError, KeyTakenError
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock, Receipts

# Characters. A UUID has 36, and what a pipeline names its runs by not many more; but to the key of
# many rollouts the name of each is added, which may have some 600.
LONGEST_KEY = 1024

_AWAY = (
    "it cannot be told now whether a request with this key was carried out before: send it again"
    " later, or look at the rollout and send it without a key"
)

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode
_outcomes = msgspec.json.Decoder(Outcome)


class Repeats:
    """Carries out a request once for each key of a viewer.

    What has had no effect is forgotten, so that it may be tried again; what went well, what was
    done in part, and what nobody can tell is kept.

    Args:
        receipts: Where it is kept.
        clock: The time of day.
    """

    def __init__(self, receipts: Receipts, clock: Clock) -> None:
        self._receipts = receipts
        self._clock = clock

    async def once(
        self,
        viewer: Viewer,
        request: ActionRequest,
        perform: Callable[[], Awaitable[Outcome]],
    ) -> tuple[Outcome | InvalidInput, bool]:
        """What came of the request, and whether that is from before.

        A second request with the same key waits for the first, if that is still under way.
        """
        key = request.idempotency_key
        if not key or request.dry_run:
            return await perform(), False
        if len(key) > LONGEST_KEY or not key.isprintable():
            text = f"expected a key of 1 to {LONGEST_KEY} printable characters"
            return InvalidInput(text, ("idempotencyKey",)), False
        place = _digest("key", viewer.issuer, viewer.subject, key)
        try:
            kept = await self._receipts.claim(place, self._fingerprint(request))
        except KeyTakenError as error:
            return InvalidInput(str(error), ("idempotencyKey",)), False
        except BrokerError as error:
            _log.warning("receipts_away", error=str(error))
            return InvalidInput(_AWAY, ("idempotencyKey",)), False
        if kept is not None:
            return _outcomes.decode(kept), True
        outcome = None
        try:
            outcome = await perform()
        finally:
            with anyio.CancelScope(shield=True):
                await self._close(place, outcome)
        return outcome, False

    async def _close(self, place: str, outcome: Outcome | None) -> None:
        """Keeps what came of it, or forgets it. If it fails, what was done is done all the same."""
        try:
            if outcome is not None and _counts(outcome):
                await self._receipts.keep(place, _encode(outcome))
            else:
                await self._receipts.release(place)
        except BrokerError as error:
            _log.error("receipt_not_kept", error=str(error))

    def _fingerprint(self, request: ActionRequest) -> str:
        """Equal for requests that ask the same."""
        action = whenever(request.action, self._clock.now())
        return _digest(
            type(action).__name__,
            _encode(action).decode(),
            str(request.ref),
            _encode(request.expected).decode(),
        )


def _counts(outcome: Outcome) -> bool:
    return outcome.failure is None or outcome.applied or outcome.unknown


def _digest(*parts: str) -> str:
    return hashlib.sha256(_encode(parts)).hexdigest()
