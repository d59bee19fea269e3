"""Trusted documents: those that somebody has vouched for, in files, with their ids."""

from collections.abc import Callable, Sequence
from functools import partial

import anyio.to_thread
import structlog
from graphql import GraphQLError, OperationDefinitionNode, parse

from rollgraph.core.documents import SHA256, TrustedDocument, digest, trusted
from rollgraph.core.errors import ConfigError
from rollgraph.ports import DocumentFiles

# What is wrong with so many documents is told; there may be some hundred, all for one reason.
MOST_TOLD = 10

_log = structlog.get_logger(__name__)


class Trusted:
    """The documents of all files.

    Until they have been read there are none.

    Args:
        files: Where they are.
        complaints: What is wrong with a document, by the schema.

    Attributes:
        version: Grows with each reading that is taken.
        problem: Why the newest files were not taken, so that the older ones hold; "" if they were.
        names: The names of their operations: as many as somebody has vouched for, and so fit to
            tell operations apart in metrics.
    """

    def __init__(
        self, files: DocumentFiles, complaints: Callable[[str], Sequence[GraphQLError]]
    ) -> None:
        self._files = files
        self._complaints = complaints
        self._by_id: dict[str, str] = {}
        self._by_digest: dict[str, str] = {}
        self.names: frozenset[str] = frozenset()
        self.version = 0
        self.problem = ""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_digest)

    def find(self, id_: str) -> str | None:
        """The document with an id: as its file has it, or its SHA-256, with or without prefix."""
        bare = id_.removeprefix(SHA256)
        return self._by_id.get(id_) or self._by_id.get(bare) or self._by_digest.get(bare)

    def has(self, digest_: str) -> bool:
        """Whether there is one with that SHA-256."""
        return digest_ in self._by_digest

    async def load(self) -> None:
        """Reads them once.

        Raises `ConfigError`, a line for each problem, if that cannot be done or one of them does
        not fit the schema.
        """
        found = [
            each for name, content in await self._files.read() for each in trusted(content, name)
        ]
        by_id = _by_id(found)
        # Some milliseconds each.
        problems = await anyio.to_thread.run_sync(partial(self._problems, found))
        if problems:
            more = len(problems) - MOST_TOLD
            told = [*problems[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])]
            raise ConfigError("\n".join(told))
        self._by_id = by_id
        self._by_digest = {digest(text): text for text in by_id.values()}
        self.names = frozenset(name for text in by_id.values() for name in _names(text))
        self.version += 1

    async def run(self) -> None:
        """Reads them again whenever they have changed; broken ones are not taken."""
        async with self._files.changes() as changes:
            async for _ in changes:
                await self._reload()

    async def _reload(self) -> None:
        try:
            await self.load()
        except ConfigError as error:
            self.problem = str(error)
            _log.error("documents_not_taken", reason=self.problem)
        else:
            self.problem = ""
            _log.info("documents_taken", documents=len(self))

    def _problems(self, documents: Sequence[TrustedDocument]) -> list[str]:
        return [
            f"{document.place}: {_where(error)}{error.message}"
            for document in documents
            for error in self._complaints(document.text)
        ]


def _by_id(documents: Sequence[TrustedDocument]) -> dict[str, str]:
    known: dict[str, TrustedDocument] = {}
    for document in documents:
        other = known.setdefault(document.id, document)
        if other.text != document.text:
            raise ConfigError(
                f"{document.place}: the id {document.id} stands for another document at"
                f" {other.place}"
            )
    return {id_: document.text for id_, document in known.items()}


def _where(error: GraphQLError) -> str:
    """The place in a document, as line and column."""
    return "".join(f"{at.line}:{at.column}: " for at in (error.locations or ())[:1])


def _names(text: str) -> list[str]:
    return [
        each.name.value
        for each in parse(text).definitions
        if isinstance(each, OperationDefinitionNode) and each.name is not None
    ]
