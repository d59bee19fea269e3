"""Files with trusted documents, read again when they change."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread

from rollgraph.adapters.looks import Look, look_at
from rollgraph.core.errors import ConfigError
from rollgraph.ports.documents import Contents

# Seconds. Files are read when they have looked the same twice after a change, so this is also the
# time that a writer has between two of its writes.
POLL_EVERY = 1.0
# Bytes of a file: some thousand documents.
MAX_FILE = 16 << 20

Looks: TypeAlias = list[Look]


class JsonFiles:
    """A `ports.DocumentFiles`.

    Args:
        paths: The files.
        poll: Seconds between two looks at them.
    """

    def __init__(self, paths: Sequence[Path], *, poll: float = POLL_EVERY) -> None:
        self._paths = tuple(paths)
        self._poll = poll

    async def read(self) -> Contents:
        """See `ports.DocumentFiles`."""
        return await anyio.to_thread.run_sync(self._read)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        """See `ports.DocumentFiles`."""
        look = await anyio.to_thread.run_sync(self._look)
        async with aclosing(self._changes(look)) as changes:
            yield changes

    async def _changes(self, look: Looks) -> AsyncGenerator[None]:
        moving = look
        while True:
            await anyio.sleep(self._poll)
            now = await anyio.to_thread.run_sync(self._look)
            if now != look and now == moving:
                look = now
                yield
            moving = now

    def _look(self) -> Looks:
        return [look_at(path) for path in self._paths]

    def _read(self) -> Contents:
        return [(str(path), _content(path)) for path in self._paths]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise ConfigError(f"{path}: expected documents of {MAX_FILE >> 20} MiB at most")
    return content
