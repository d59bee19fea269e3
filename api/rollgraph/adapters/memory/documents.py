"""Documents by their hash, in this process's memory."""

from collections import OrderedDict

from rollgraph.core.documents import digest as digest_of

# Documents, and bytes of them. A portal has some hundred, of 1 to 20 KiB.
MOST, MAX_BYTES = 5000, 16 * 1024 * 1024


class MemoryDocuments:
    """A `ports.DocumentStore`.

    Args:
        most: Documents that are kept.
        max_bytes: Bytes of them.

    Attributes:
        size: Bytes that are kept.
    """

    def __init__(self, most: int = MOST, max_bytes: int = MAX_BYTES) -> None:
        self._most = most
        self._max_bytes = max_bytes
        # The longest unused first.
        self._texts: OrderedDict[str, str] = OrderedDict()
        self.size = 0

    async def get(self, digest: str) -> str | None:
        """See `ports.DocumentStore`."""
        if digest not in self._texts:
            return None
        self._texts.move_to_end(digest)
        return self._texts[digest]

    async def put(self, digest: str, text: str) -> None:
        """See `ports.DocumentStore`."""
        size = len(text.encode())
        if size > self._max_bytes or digest_of(text) != digest:
            return
        if digest not in self._texts:
            self._texts[digest] = text
            self.size += size
        self._texts.move_to_end(digest)
        while len(self._texts) > self._most or self.size > self._max_bytes:
            self.size -= len(self._texts.popitem(last=False)[1].encode())
