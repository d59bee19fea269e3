"""The states of rollouts that must be shown although they are over already.

Events wake, they do not inform, and what a rollout is now is made of what is held now. But a reader
of its story would miss a phase that lasted 90 ms: as many as one in three, where a controller
answers at once. So a state with another phase or step than before is kept until it is shown.
"""

from collections import deque

import structlog

from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.phase import phase
from rollgraph.spokes.store import Change, key_of

# States that wait to be shown. The projector shows some thousand a second, and a spoke changes some
# hundred; this is a spoke that changes all of 5,000 rollouts twice before it gets its turn.
MAX_WAITING = 10_000

_log = structlog.get_logger(__name__)


class Transitions:
    """The states of one spoke's rollouts that wait to be shown, in the order of their delivery.

    Bounded: when full, the oldest is not shown any more, and that is said. What follows it is.

    Args:
        most: How many may wait.
    """

    def __init__(self, most: int = MAX_WAITING) -> None:
        self._waiting: deque[Rollout] = deque()
        self._most = most
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, change: Change) -> None:
        """Takes in a change of a rollout, in its order."""
        old, new = change.old, change.new
        if isinstance(old, Rollout) and isinstance(new, Rollout) and _differs(old, new):
            if len(self._waiting) >= self._most:
                self._lose(self._waiting.popleft())
            self._waiting.append(new)

    def take(self) -> Rollout | None:
        """Removes the state that waits longest; None if there is none."""
        return self._waiting.popleft() if self._waiting else None

    def _lose(self, rollout: Rollout) -> None:
        self.lost += 1
        if self.lost & (self.lost - 1) == 0:  # the 1st, 2nd, 4th, 8th...: a flood is told briefly
            _log.warning("transition_lost", rollout=str(key_of(rollout)), lost=self.lost)


def _differs(old: Rollout, new: Rollout) -> bool:
    return _state(old) != _state(new)


def _state(rollout: Rollout) -> object:
    """What tells one state from another, as `core.changes.is_transition` does with views."""
    return phase(rollout), rollout.status.current_step_index, rollout.metadata.uid
