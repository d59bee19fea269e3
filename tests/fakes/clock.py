"""A clock that goes with the event loop's time, which looptime makes virtual."""

from datetime import UTC, datetime, timedelta

import anyio

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


class LoopClock:
    """A `ports.Clock`."""

    def now(self) -> datetime:
        """`START`, and as much as the event loop has lived since its zero."""
        return START + timedelta(seconds=anyio.current_time())
