"""Documents that callers have sent once and ask for by their hash from then on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias


class DocumentStore(Protocol):
    """Documents by their SHA-256 in hex.

    Bounded in number and bytes: what nobody has asked for longest goes first, and is sent again by
    whoever wants it. Every method raises `BrokerError` if the store does not answer.
    """

    async def get(self, digest: str) -> str | None:
        """The document with a hash; None if it is not there, or not what its hash says."""
        ...

    async def put(self, digest: str, text: str) -> None:
        """Adds a document under its hash. One that is larger than there is room for is not kept."""
        ...


# Names of files, and what is in them.
Contents: TypeAlias = Sequence[tuple[str, bytes]]


class DocumentFiles(Protocol):
    """Files with trusted documents."""

    async def read(self) -> Contents:
        """All of them as they are now. Raises `ConfigError` if one cannot be read."""
        ...

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Tells of each change of them, once they have looked the same for a moment."""
        ...
