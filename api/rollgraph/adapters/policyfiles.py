"""The policy that is in files, kept up with them."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread

from rollgraph.adapters.looks import Look, look_at
from rollgraph.core.errors import ConfigError
from rollgraph.core.rbac.text import MatchMode, PolicyDocument, PolicyText

# Seconds. Files are read when they have looked the same twice after a change, so this is also the
# time that a writer has between two of its writes.
POLL_EVERY = 1.0
# Bytes of a file: some 20,000 lines. What is larger is no policy, and would be read once a second.
MAX_FILE = 2 << 20

Looks: TypeAlias = list[Look]


class PolicyFiles:
    """A `PolicySource` on files, read in the order given.

    Args:
        paths: The files; none for a policy that says nothing.
        default_role: What everybody has who is logged in; "" for nothing.
        match_mode: What the patterns are.
        poll: Seconds between two looks at the files.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        default_role: str = "",
        match_mode: MatchMode = MatchMode.GLOB,
        *,
        poll: float = POLL_EVERY,
    ) -> None:
        self._paths = tuple(paths)
        self._default_role = default_role
        self._match_mode = match_mode
        self._poll = poll

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[PolicyText]]:
        """The policy now and after each change; see `ports.PolicySource`."""
        look, text = await anyio.to_thread.run_sync(self._read)
        async with aclosing(self._changes(look, text)) as changes:
            yield changes

    async def _changes(self, look: Looks, text: PolicyText) -> AsyncGenerator[PolicyText]:
        yield text
        moving = look
        while True:
            await anyio.sleep(self._poll)
            now = await anyio.to_thread.run_sync(self._look)
            if now == look or now != moving:
                moving = now
                continue
            look, text = await anyio.to_thread.run_sync(self._read)
            moving = look
            yield text

    def _read(self) -> tuple[Looks, PolicyText]:
        """The look is from before, so that no change falls in between."""
        look = self._look()
        documents = tuple(PolicyDocument(str(path), read_file(path)) for path in self._paths)
        return look, PolicyText(
            documents, default_role=self._default_role, match_mode=self._match_mode
        )

    def _look(self) -> Looks:
        return [look_at(path) for path in self._paths]


def read_file(path: Path) -> str:
    """The text of a policy's file; `ConfigError` says what is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise ConfigError(f"{path}: expected a policy of {MAX_FILE >> 20} MiB at most")
        return content.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected a policy in UTF-8") from None
