"""From what somebody asks to the document that is executed, and whether it may be.

Apollo's automatic persisted queries (APQ): a client sends the SHA-256 of a document alone, and the
document only if the answer is that nobody knows it. GraphQL over HTTP, appendix A: `documentId`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import anyio
import structlog

from rollgraph.core.documents import SHA256, digest
from rollgraph.core.errors import BrokerError
from rollgraph.ports import DocumentStore
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.failures import OperationRefusedError
from rollgraph.server.operation import Operation
from rollgraph.server.settings import Only

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
# By these a client learns that it has to send the document.
UNKNOWN_CODES = (NOT_FOUND, NOT_SUPPORTED)
MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

# The key of a request's `extensions`, and the one version of what is in it.
KEY, VERSION = "persistedQuery", 1
# Seconds that Redis gets to answer; without, a client is asked for the document as if nobody had
# it.
ANSWER_WITHIN = 0.25
# Documents of which it was told that they are not trusted: once each.
MOST_TOLD = 1000

_HEX = re.compile(r"[0-9a-f]{64}")

_log = structlog.get_logger(__name__)


class Asked(NamedTuple):
    """By what a document is asked for.

    Attributes:
        id: The id; "" if none.
        hash: The SHA-256 in hex, as APQ has it; "" if that was not used.
    """

    id: str = ""
    hash: str = ""


class Persisted:
    """Finds documents.

    Args:
        local: What this process remembers; None where documents are not remembered.
        shared: What all gateways remember; None for a process that is alone.
        trusted: Those that somebody has vouched for.
        only: What becomes of others.
    """

    def __init__(
        self,
        local: DocumentStore | None,
        shared: DocumentStore | None = None,
        trusted: Trusted | None = None,
        only: Only = Only.OFF,
    ) -> None:
        self._local = local
        self._shared = shared
        self.trusted = trusted
        self._only = only
        self._told: set[str] = set()

    @property
    def version(self) -> int:
        """Changes when an id may stand for another document."""
        return self.trusted.version if self.trusted is not None else 0

    async def text(self, operation: Operation) -> str:
        """The document that is asked for; "" if none is.

        Raises `OperationRefusedError` if it is not known, or may not be asked for.
        """
        asked = _asked(operation)
        if not operation.query:
            return await self._found(asked) if asked.id else ""
        if not asked.hash and self._only is Only.OFF:
            return operation.query
        hash_ = digest(operation.query)
        if asked.hash not in {"", hash_} and not self._stands_for(asked.hash, operation.query):
            raise OperationRefusedError(
                400, "provided sha does not match query: it has another SHA-256", MISMATCH
            )
        self._check(hash_, operation)
        return operation.query

    def _stands_for(self, id_: str, text: str) -> bool:
        """Whether somebody has vouched for a document by that id, which need not be a hash."""
        return self.trusted is not None and self.trusted.find(id_) == text

    async def remember(self, operation: Operation) -> None:
        """Remembers a document that was sent with its hash, once it is known to make sense."""
        asked = _asked(operation)
        if not (operation.query and asked.hash) or self._local is None:
            return
        if self._only is Only.REFUSE or await self._local.get(asked.hash) is not None:
            return
        await self._local.put(asked.hash, operation.query)
        if self._shared is not None:
            try:
                with anyio.fail_after(ANSWER_WITHIN):
                    await self._shared.put(asked.hash, operation.query)
            except (BrokerError, TimeoutError) as error:
                _log.warning("document_not_shared", reason=str(error))

    async def _found(self, asked: Asked) -> str:
        if self.trusted is not None and (text := self.trusted.find(asked.id)) is not None:
            return text
        hash_ = asked.hash or asked.id.removeprefix(SHA256)
        # Redis is not asked for what can be nobody's hash.
        hashed = (bool(asked.hash) or asked.id.startswith(SHA256)) and bool(_HEX.fullmatch(hash_))
        if hashed and self._local is not None and self._only is not Only.REFUSE:
            text = await self._local.get(hash_) or await self._elsewhere(hash_)
            if text is not None:
                self._check(hash_, Operation(text))
                return text
        raise self._unknown(asked)

    async def _elsewhere(self, hash_: str) -> str | None:
        if self._shared is None or self._local is None:
            return None
        try:
            with anyio.fail_after(ANSWER_WITHIN):
                text = await self._shared.get(hash_)
        except (BrokerError, TimeoutError) as error:
            _log.warning("document_not_looked_up", reason=str(error))
            return None
        if text is not None:
            await self._local.put(hash_, text)
        return text

    def _unknown(self, asked: Asked) -> OperationRefusedError:
        if not asked.hash:
            return OperationRefusedError(
                400, f"No document has the id {asked.id[:100]}: send `query`", NOT_FOUND
            )
        # Clients send the document after the first, and never a hash again after the second. Some
        # look at these words, in place of the code.
        if self._local is None or self._only is Only.REFUSE:
            return OperationRefusedError(400, "PersistedQueryNotSupported", NOT_SUPPORTED)
        return OperationRefusedError(400, "PersistedQueryNotFound", NOT_FOUND)

    def _check(self, hash_: str, operation: Operation) -> None:
        """Raises `OperationRefusedError` for a document that is not trusted, if it has to be."""
        if self._only is Only.OFF or (self.trusted is not None and self.trusted.has(hash_)):
            return
        if self._only is Only.REFUSE:
            raise OperationRefusedError(
                400,
                "This gateway answers trusted documents only, and this one is not: have it added to"
                " the files in documents.files",
                NOT_TRUSTED,
            )
        if hash_ not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(hash_)
            _log.warning("document_not_trusted", sha256=hash_, operation=operation.name or "")


def _asked(operation: Operation) -> Asked:
    """By what a document is asked for. Raises `OperationRefusedError` for what is malformed."""
    found: Any = (operation.extensions or {}).get(KEY)
    if found is None:
        return Asked(operation.document)
    hash_ = found.get("sha256Hash") if isinstance(found, Mapping) else None
    if not isinstance(hash_, str) or not hash_ or found.get("version") != VERSION:
        raise OperationRefusedError(
            400,
            f"extensions.{KEY}: expected an object with `version` {VERSION} and `sha256Hash`",
            "BAD_USER_INPUT",
        )
    return Asked(operation.document or hash_, hash_)
