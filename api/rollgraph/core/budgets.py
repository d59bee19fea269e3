"""How fast somebody may ask: points that are spent, and come back evenly.

Each request costs points. As many as come back in a minute can be spent at once; who has spent them
waits for as long as it takes until there are enough again. Nothing is ever queued.
"""

import math

import msgspec

# Seconds in which all points come back.
PERIOD = 60.0


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """What somebody had left at a time.

    Attributes:
        left: Points.
        at: The time, in seconds of any clock that does not go back.
    """

    left: float
    at: float


class Balance(msgspec.Struct, frozen=True):
    """What came of an attempt to spend.

    Attributes:
        allowed: Whether the points were spent; if not, none were.
        limit: Points that there are at most, and that come back in a minute.
        left: Points that are left.
        wait: Seconds until the attempt would succeed, if nothing else is spent; 0 if it did.
    """

    allowed: bool
    limit: int
    left: float
    wait: float = 0.0

    @property
    def remaining(self) -> int:
        """Whole points that are left."""
        return math.floor(self.left)

    @property
    def full_in(self) -> float:
        """Seconds until all points are there, if nothing else is spent."""
        return (self.limit - self.left) / self.limit * PERIOD


def spend(
    bucket: Bucket | None, now: float, points: int, limit: int, back: int = 0
) -> tuple[Bucket, Balance]:
    """What is left of a bucket after an attempt to spend points of it.

    Args:
        bucket: What there was; None for somebody who has not spent anything lately.
        now: The time.
        points: Points to spend. More than there ever are count as all of them, so that nothing is
            refused for ever.
        limit: Points that there are at most, at least 1.
        back: Points that were spent before and turned out not to be needed.
    """
    left = float(limit)
    if bucket is not None:
        passed = max(0.0, now - bucket.at)
        left = min(left, bucket.left + back + passed * limit / PERIOD)
    wanted = min(points, limit)
    if wanted > left:
        wait = (wanted - left) / limit * PERIOD
        return Bucket(left, now), Balance(allowed=False, limit=limit, left=left, wait=wait)
    left -= wanted
    return Bucket(left, now), Balance(allowed=True, limit=limit, left=left)
