"""Where things are in Redis.

All keys of a spoke carry the same hash tag, so that one script may touch them all in a cluster. The
tag is that of one of 64 partitions rather than the spoke's own: a gateway subscribes to 64 channels
however many spokes there are, and a spoke may come without anybody subscribing anew.
"""

import zlib

import msgspec

PARTITIONS = 64


def partition(cluster: str) -> int:
    """The partition of a spoke; the same in every process and every version."""
    return zlib.crc32(cluster.encode()) % PARTITIONS


class Keys(msgspec.Struct, frozen=True):
    """The names of everything.

    Attributes:
        prefix: Begins each of them, so that others may use the same Redis.
    """

    prefix: str = "rollgraph"

    @property
    def feeds(self) -> str:
        """A set: the spokes that have a feed.

        Not in a partition: it is read alone, and repaired by each claim.
        """
        return f"{self.prefix}:feeds"

    @property
    def workers(self) -> str:
        """A sorted set: the workers, by when they last said that they live, in ms."""
        return f"{self.prefix}:workers"

    @property
    def tickets(self) -> str:
        """A text: what the tickets of bulk actions are signed with.

        As it is: who reads it could write a list of rollouts as if it had been shown, and anybody
        may list rollouts themselves. Each is asked of the caller's rights.
        """
        return f"{self.prefix}:tickets"

    @property
    def receipts(self) -> str:
        """A sorted set: the answers that are kept, by age."""
        return f"{self.prefix}:{{receipts}}:all"

    def receipt(self, key: str) -> str:
        """A hash: fingerprint, and either owner, while the request runs, or answer."""
        return f"{self.prefix}:{{receipts}}:{key}"

    @property
    def sessions(self) -> str:
        """A sorted set: the logins of browsers, by when they were last seen."""
        return f"{self.prefix}:{{sessions}}:all"

    def session(self, key: str) -> str:
        """A text: one login."""
        return f"{self.prefix}:{{sessions}}:{key}"

    def turn(self, key: str) -> str:
        """A text: whose turn it is to renew a login."""
        return f"{self.prefix}:{{sessions}}:{key}:turn"

    def budget(self, whose: str) -> str:
        """A hash: what a caller had left, and when.

        Alone in its script, so that the callers are spread over a cluster.
        """
        return f"{self.prefix}:budget:{whose}"

    @property
    def documents(self) -> list[str]:
        """What callers ask for by its hash: a hash of texts, a sorted set of when each was used,
        and the number of bytes of all."""
        return [f"{self.prefix}:{{documents}}:{what}" for what in ("texts", "used", "bytes")]

    @property
    def audit_counts(self) -> str:
        """A hash: name of the audit, how many rows are forgotten, bytes of each shelf."""
        return f"{self.prefix}:{{audit}}:counts"

    def audit(self, shelf: str) -> str:
        """A stream: rows in the order in which they came."""
        return f"{self.prefix}:{{audit}}:{shelf}"

    def audit_writer(self, name: str) -> str:
        """A hash: how many rows of each shelf there are of one gateway's, kept or not any more."""
        return f"{self.prefix}:{{audit}}:writer:{name}"

    def channel(self, cluster: str) -> str:
        """Where the facts of a spoke are published: the channel of its partition."""
        return self._channel(partition(cluster))

    def channels(self) -> list[str]:
        """All channels."""
        return [self._channel(number) for number in range(PARTITIONS)]

    def meta(self, cluster: str) -> str:
        """A hash: fence, epoch, seq, server of the feed, and its checkpoint if there is one; holder
        and until, in ms, of the lease.
        """
        return self._key(cluster, "meta")

    def state(self, cluster: str) -> str:
        """A hash: what is known, by the name of its subject; `number|frame`."""
        return self._key(cluster, "state")

    def log(self, cluster: str) -> str:
        """A stream: every fact in order, with id `0-number`."""
        return self._key(cluster, "log")

    def feed(self, cluster: str) -> list[str]:
        """All that a spoke has: meta, state and log, as the scripts want them."""
        return [self.meta(cluster), self.state(cluster), self.log(cluster)]

    def _channel(self, number: int) -> str:
        return f"{self.prefix}:{{{number}}}:facts"

    def _key(self, cluster: str, what: str) -> str:
        return f"{self.prefix}:{{{partition(cluster)}}}:{cluster}:{what}"
