"""What came of requests that may be repeated, in the memory of one process."""

from collections import OrderedDict

import anyio
import msgspec

from rollgraph.core.errors import KeyTakenError

# Seconds: a pipeline that failed at night is run again in the morning.
KEPT = 24 * 3600.0
# Answers. One has about 1 KiB, a brought back template some more; beyond, the oldest goes.
MAX_KEPT = 10_000
# Bytes of them in all; beyond, the oldest goes, too.
MAX_BYTES = 32 * 1024 * 1024


class _Running:
    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.done = anyio.Event()


class _Kept(msgspec.Struct, frozen=True, gc=False):
    fingerprint: str
    answer: bytes
    until: float


class MemoryReceipts:
    """A `ports.Receipts`.

    Args:
        max_kept: Answers that are kept.
        max_bytes: Their bytes.
    """

    def __init__(self, *, max_kept: int = MAX_KEPT, max_bytes: int = MAX_BYTES) -> None:
        self._max_kept = max_kept
        self._max_bytes = max_bytes
        self._bytes = 0
        self._running: dict[str, _Running] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def claim(self, key: str, fingerprint: str) -> bytes | None:
        """See `ports.Receipts`."""
        while True:
            self._forget()
            kept = self._kept.get(key)
            if kept is not None:
                _check(kept.fingerprint, fingerprint)
                return kept.answer
            running = self._running.get(key)
            if running is None:
                self._running[key] = _Running(fingerprint)
                return None
            _check(running.fingerprint, fingerprint)
            await running.done.wait()

    async def keep(self, key: str, answer: bytes) -> None:
        """See `ports.Receipts`."""
        running = self._running.pop(key)
        until = anyio.current_time() + KEPT
        self._kept[key] = _Kept(running.fingerprint, answer, until)
        self._bytes += len(answer)
        self._forget()
        running.done.set()

    async def release(self, key: str) -> None:
        """See `ports.Receipts`."""
        self._running.pop(key).done.set()

    def _forget(self) -> None:
        """All have the same time to live, so that the oldest is also the first to end."""
        now = anyio.current_time()
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            full = len(self._kept) > self._max_kept or self._bytes > self._max_bytes
            if not full and oldest.until > now:
                return
            del self._kept[key]
            self._bytes -= len(oldest.answer)


def _check(held: str, given: str) -> None:
    if held != given:
        raise KeyTakenError(
            "this idempotency key was used for another request: take a new key for each request"
        )
