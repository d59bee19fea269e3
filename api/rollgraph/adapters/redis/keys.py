"""Where things are in Redis.

All keys of a spoke carry the same hash tag, so that one script may touch them all in a cluster. The
tag is that of one of 64 partitions rather than the spoke's own: a gateway subscribes to 64 channels
however many spokes there are, and a spoke may come without anybody subscribing anew.
"""

import zlib

PREFIX = "rollgraph"
PARTITIONS = 64
# The spokes that have a feed. Not in a partition: it is read alone, and repaired by each claim.
FEEDS = f"{PREFIX}:feeds"


def partition(cluster: str) -> int:
    """The partition of a spoke; the same in every process and every version."""
    return zlib.crc32(cluster.encode()) % PARTITIONS


def channel(number: int) -> str:
    """The channel of a partition."""
    return f"{PREFIX}:{{{number}}}:facts"


def channels() -> list[str]:
    """All channels."""
    return [channel(number) for number in range(PARTITIONS)]


def meta(cluster: str) -> str:
    """A hash: fence, epoch, seq, server."""
    return _key(cluster, "meta")


def state(cluster: str) -> str:
    """A hash: what is known, by the name of its subject; `number|frame`."""
    return _key(cluster, "state")


def log(cluster: str) -> str:
    """A stream: every fact in order, with id `0-number`."""
    return _key(cluster, "log")


def _key(cluster: str, what: str) -> str:
    return f"{PREFIX}:{{{partition(cluster)}}}:{cluster}:{what}"
