"""What came of requests that may be repeated."""

from typing import Protocol


class Receipts(Protocol):
    """What came of requests that may be repeated, for 24 hours, under keys that nobody guesses.

    Whoever has claimed a key keeps an answer or releases it, whatever happens. Every method raises
    `BrokerError` if the store does not answer.
    """

    async def claim(self, key: str, fingerprint: str) -> bytes | None:
        """None if the key is the caller's now; else the answer that is kept under it.

        While another has claimed it, waits until that one has kept an answer or released it.
        `KeyTakenError` if the key was claimed with another fingerprint: for another request.
        """

    async def keep(self, key: str, answer: bytes) -> None:
        """Keeps the answer of a claimed key. Where there is no more room, the oldest answers go."""

    async def release(self, key: str) -> None:
        """Gives a claimed key back: the next one to claim it has it."""
