"""Lines out of a stream of chunks."""

from rollgraph.core.errors import UnreadableError

# Bytes. etcd takes objects up to 1.5 MiB by default, an API server requests up to 3 MiB; operators
# raise both. aiohttp's own readline gives up at 4 MiB with kubernetes_asyncio's buffer (its #137).
LONGEST_LINE = 64 * 1024 * 1024


class LineSplitter:
    """Splits at line feeds, which JSON never has inside.

    Args:
        longest: Bytes that a line may have; a longer one raises `UnreadableError`.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        # Of a line that spans chunks: joined once at its end, so that it costs its length and not
        # its length times the number of its chunks.
        self._started: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that a chunk completes, without their ends."""
        head, *others = chunk.split(b"\n")
        self._start(head)
        if not others:
            return []
        *whole, tail = others
        found = [self.rest(), *whole]
        self._start(tail)
        return found

    def rest(self) -> bytes:
        """What has no line feed yet; at the end of a stream, its last line. Forgets it."""
        line = b"".join(self._started)
        self._started, self._size = [], 0
        return line

    def _start(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            raise UnreadableError(f"a line of more than {self._longest} bytes")
        self._started.append(part)
