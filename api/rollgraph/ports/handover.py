"""From one worker of a spoke to the next."""

from typing import Protocol

from rollgraph.core.feed.checkpoints import Checkpoint, Inheritance
from rollgraph.ports.model import Projection


class Handover(Projection, Protocol):
    """The write side of what is known of one spoke, as one worker after the other has it."""

    async def inherited(self) -> Inheritance | None:
        """What an earlier worker has left; None if that is nothing.

        Waits a moment for it to be read, and not for ever: None if it could not be. Nothing of it
        counts as told by this worker.
        """

    def take_over(self) -> None:
        """From now on all that was inherited counts as told."""

    def reach(self, checkpoint: Checkpoint) -> None:
        """All that was told until now is what there was at this checkpoint.

        It is written with the last of that, or some seconds later if it was written before.
        """
