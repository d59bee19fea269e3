"""From settings to all that finds documents: bootstrap's part for them."""

from collections.abc import Callable, Sequence

from graphql import GraphQLError

from rollgraph.adapters.documentfiles import JsonFiles
from rollgraph.adapters.memory.documents import MemoryDocuments
from rollgraph.core.errors import ConfigError
from rollgraph.ports import DocumentStore
from rollgraph.server.documents.persisted import Persisted
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.settings import Documents, Only


def trusted(
    settings: Documents, complaints: Callable[[str], Sequence[GraphQLError]]
) -> Trusted | None:
    """The trusted documents, which nobody has read yet; None where there are none.

    Raises `ConfigError` if others are to be refused, but nothing is said to be trusted.
    """
    if settings.files:
        return Trusted(JsonFiles(settings.files), complaints)
    if settings.only is not Only.OFF:
        raise ConfigError(
            "documents.files (--trusted-documents): expected a file with the documents that are"
            f" trusted, since documents.only (--trusted-only) is {settings.only}"
        )
    return None


def persisted(
    settings: Documents, shared: DocumentStore | None, trusted: Trusted | None
) -> Persisted:
    """What finds documents.

    Args:
        shared: What all gateways remember; None for a process that is alone.
        trusted: Those that somebody has vouched for.
    """
    local = MemoryDocuments(settings.most) if settings.persist else None
    return Persisted(local, shared, trusted, settings.only)
