"""Whether what a script waits for has come, or cannot come any more."""

from enum import IntEnum

import msgspec

from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.state import Rollout


class Status(IntEnum):
    """How `rollgraph watch` ends: what a script sees."""

    HEALTHY = 0
    FAILED = 1
    MISUSED = 2
    UNREACHED = 3
    TIMED_OUT = 124  # as timeout(1) has it


class Verdict(msgspec.Struct, frozen=True):
    """How it ended, and the same in a sentence."""

    status: Status
    text: str


class Goal(msgspec.Struct, frozen=True):
    """All rollouts Healthy.

    Attributes:
        image: The image that they have to run; "" for any. Until a rollout is told to run it,
            nothing is concluded from its phase: that is of the version before.
        exact: Whether all that is meant was named, so that clusters without any of it do not
            matter.
    """

    image: str = ""
    exact: bool = True

    def reached(self, board: Board) -> Verdict | None:
        """The verdict; None while there is something to wait for.

        What is stale proves nothing: neither that a rollout is Healthy nor that it is not.
        """
        for ref in sorted(board.gone):
            return Verdict(Status.FAILED, f"{ref} is gone: deleted, or not shown to you any more")
        for ref, rollout in sorted(board.rollouts.items()):
            if rollout is not None and rollout.phase == "DEGRADED" and self._counts(board, rollout):
                return Verdict(Status.FAILED, _degraded(ref, rollout))
        if self.missing(board):
            return None
        first, count = next(iter(board.rollouts)), len(board.rollouts)
        healthy = f"{first} is" if count == 1 else f"all {count} rollouts are"
        return Verdict(Status.HEALTHY, f"{healthy} Healthy")

    def missing(self, board: Board) -> str:
        """What is waited for, in a sentence; "" if nothing is."""
        if board.unread and not self.exact:
            return f"cluster {min(board.unread)} has not been read"
        if not board.rollouts:
            return "no rollout matches"
        lacks = [lack for ref in sorted(board.rollouts) if (lack := self._lack(board, ref))]
        more = f"; and {len(lacks) - 1} more" if len(lacks) > 1 else ""
        return f"{lacks[0]}{more}" if lacks else ""

    def _lack(self, board: Board, ref: RolloutRef) -> str:
        rollout = board.rollouts[ref]
        if rollout is None:
            return f"{ref} is not there"
        phase = rollout.phase.capitalize()
        if stale := board.stale(ref):
            return f"{ref} was {phase} when last heard of: {stale}"
        if not self._runs(rollout):
            return f"{ref} does not run {self.image}"
        if rollout.phase == "HEALTHY":
            return ""
        waiting = rollout.progress.waiting
        return f"{ref} is {phase}: {waiting.message}" if waiting else f"{ref} is {phase}"

    def _counts(self, board: Board, rollout: Rollout) -> bool:
        return not board.stale(rollout.ref) and self._runs(rollout)

    def _runs(self, rollout: Rollout) -> bool:
        """Whether it is to run the image that is meant, which may be without registry and path."""
        if not self.image:
            return True
        images = [item.image for item in rollout.images]
        return any(image == self.image or image.endswith(f"/{self.image}") for image in images)


def _degraded(ref: RolloutRef, rollout: Rollout) -> str:
    said = "is aborted" if rollout.aborted else "is Degraded"
    return f"{ref} {said}: {rollout.message}" if rollout.message else f"{ref} {said}"
