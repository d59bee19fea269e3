"""How long to wait before trying again."""

from random import Random

import anyio

# client-go's numbers (tools/cache/reflector.go), meant to take 98 % of the load off an API server
# that is ill: waits end up between 30 and 60 s, 0.22 requests a second for ten watches.
FIRST_WAIT = 0.8
LONGEST_WAIT = 30.0
FACTOR = 2.0
JITTER = 1.0
# Nothing went wrong for so long: the next failure is a new story and starts with a short wait.
FORGET_AFTER = 120.0


class Backoff:
    """Waits that double, each stretched by chance so that a fleet does not retry in step.

    Args:
        rng: Where the chance comes from.
        first: Seconds of the first wait, before jitter.
        longest: Seconds that a wait grows to, before jitter.
        forget_after: Seconds without a wait after which the next is a first one again.
    """

    def __init__(
        self,
        rng: Random,
        *,
        first: float = FIRST_WAIT,
        longest: float = LONGEST_WAIT,
        forget_after: float = FORGET_AFTER,
    ) -> None:
        self._rng = rng
        self._first = first
        self._longest = longest
        self._forget_after = forget_after
        self._base = first
        self._waited_until = 0.0

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait now; no fewer than `at_least`, which is what a server asked for."""
        now = anyio.current_time()
        if now - self._waited_until > self._forget_after:
            self._base = self._first
        wait = self._base * (1 + self._rng.random() * JITTER)
        self._base = min(self._longest, self._base * FACTOR)
        if at_least is not None:
            wait = max(wait, at_least)
        self._waited_until = now + wait
        return wait

    def forget(self) -> None:
        """Starts with a short wait again."""
        self._base = self._first
