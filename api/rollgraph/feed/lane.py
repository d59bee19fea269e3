"""One spoke's way through a follower."""

from collections import deque

from rollgraph.core.feed.entries import Batch
from rollgraph.core.feed.replica import Replica


class Lane:
    """A copy of one spoke's feed, and messages that have come and wait for their turn, in order.

    Attributes:
        replica: The copy.
        kept: Facts in the messages that wait.
        behind_since: Since when something has not been told of which it is known that it is there,
            in seconds of the event loop; None while there is nothing.
        torn: Whether something that should have come has not.
    """

    def __init__(self) -> None:
        self.replica = Replica()
        self.kept = 0
        self.behind_since: float | None = None
        self.torn = False
        self._waiting: deque[Batch] = deque()

    @property
    def pending(self) -> bool:
        """Whether something is missing, or waits."""
        return self.replica.broken or bool(self._waiting)

    def keep(self, batch: Batch) -> None:
        """Lets a message wait."""
        self._waiting.append(batch)
        self.kept += len(batch.entries)

    def leave(self, batch: Batch) -> None:
        """Leaves a message, and all that wait, to the log: it has them, too."""
        self.keep(batch)
        for each in self._waiting:
            self.replica.miss(each)
        self._waiting.clear()
        self.kept = 0

    def first(self) -> Batch | None:
        """The first message that waits and may bring something; it waits until it is `done`."""
        here = self.replica.position
        while self._waiting:
            batch = self._waiting[0]
            if here is None or batch.epoch != here.epoch or batch.position.seq > here.seq:
                return batch
            self.done(batch)
        return None

    def done(self, batch: Batch) -> None:
        """A message has been taken, unless it was left to the log meanwhile."""
        if self._waiting and self._waiting[0] is batch:
            self._waiting.popleft()
            self.kept -= len(batch.entries)
