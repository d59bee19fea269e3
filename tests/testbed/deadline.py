"""Waiting for truth: poll a condition until it holds or its deadline passes."""

import time
from collections.abc import Callable

from testbed.errors import NotReachedError

POLL_SECONDS = 0.05  # a local answer costs 1-5 ms, so this adds little load and little delay


def wait_until(check: Callable[[], str | None], *, seconds: float, what: str) -> None:
    """Poll ``check`` until it returns None; what it returns otherwise is the reason to wait on.

    Raises:
        NotReachedError: after ``seconds``, naming ``what`` and the last reason.
    """
    deadline = time.monotonic() + seconds
    while (reason := check()) is not None:
        if time.monotonic() >= deadline:
            raise NotReachedError(f"{what}: not reached within {seconds:g} s; last seen: {reason}")
        time.sleep(POLL_SECONDS)
