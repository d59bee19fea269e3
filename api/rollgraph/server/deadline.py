"""How long an operation may take; a stream has no end."""

from contextlib import AbstractContextManager
from types import TracebackType

import anyio

# Seconds. A query takes milliseconds.
TIMEOUT = 10.0
# Seconds. An action waits for a cluster, and for a controller to see it.
ACTION_TIMEOUT = 30.0


class Deadline(AbstractContextManager["Deadline"]):
    """The time of one operation, which raises `TimeoutError` when it is over.

    Args:
        timeout: Seconds that a query may take.
        action_timeout: Seconds that a mutation may take.

    Attributes:
        late: What is said when it took too long.
    """

    def __init__(self, timeout: float, action_timeout: float) -> None:
        self._timeout = timeout
        self._action_timeout = action_timeout
        self._scope = anyio.CancelScope()
        self.late = f"The operation took longer than {timeout:g} s: ask for less at once"

    def __enter__(self) -> "Deadline":
        """Begins to count."""
        self._scope.deadline = anyio.current_time() + self._timeout
        self._scope.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends in time, or raises `TimeoutError`."""
        self._scope.__exit__(kind, error, traceback)
        if self._scope.cancelled_caught:
            raise TimeoutError(self.late)

    def extend(self) -> None:
        """Gives an operation that acts the time that actions get."""
        self._scope.deadline += self._action_timeout - self._timeout
        self.late = (
            f"The actions took longer than {self._action_timeout:g} s together: look at what has "
            f"been done before you ask again"
        )
