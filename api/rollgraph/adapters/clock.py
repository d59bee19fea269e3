"""The time of day, as the system has it."""

from datetime import UTC, datetime


class SystemClock:
    """A `Clock` on the system's."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)
