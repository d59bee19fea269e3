"""When a stream has to end because its caller's login does."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeAlias

import anyio
import structlog
from starlette.exceptions import HTTPException

from rollgraph.access.caller import Caller
from rollgraph.core.errors import BrokerError, IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock
from rollgraph.schema.context import LEEWAY

_log = structlog.get_logger(__name__)

# Seconds. A login that somebody has ended, or a token that was taken back, is good for that much
# longer on a stream. It is a look at what is remembered, not a question to a provider each time.
LOOK_AGAIN = 60.0

# Tells who asks, again; raises as it did first.
Known: TypeAlias = Callable[[], Awaitable[Caller]]


class Lifetime:
    """Waits for the ends of logins.

    Args:
        clock: Tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def end(self, viewer: Viewer, known: Known) -> None:
        """Returns when a login has ended, by its time or because somebody has ended it.

        While that cannot be told it has not ended.
        """
        while (left := self._left(viewer)) > 0:
            await anyio.sleep(min(left, LOOK_AGAIN))
            if await _refused(known):
                return

    def _left(self, viewer: Viewer) -> float:
        if viewer.expires_at is None:
            return inf
        return (viewer.expires_at + LEEWAY - self._clock.now()).total_seconds()


async def _refused(known: Known) -> bool:
    try:
        await known()
    except UnauthenticatedViewerError:
        return True
    except (IdentityProviderError, BrokerError, HTTPException) as error:
        _log.info("caller_not_known", reason=str(error))
    return False
