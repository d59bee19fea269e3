"""GraphQL documents that are asked for by an id, and the files with those that are trusted."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from rollgraph.core.errors import ConfigError

# How an id begins that is the SHA-256 of its document (GraphQL over HTTP, appendix A).
SHA256 = "sha256:"
# How files of `@apollo/generate-persisted-query-manifest` say what they are.
APOLLO = "apollo-persisted-query-manifest"

_EXPECTED = (
    "expected a manifest of Apollo (`format`, `version`, `operations`), or an object of documents"
    " by their ids, as Relay and graphql-codegen write it"
)


class TrustedDocument(msgspec.Struct, frozen=True):
    """A document that somebody has vouched for.

    Attributes:
        id: By which it is asked for.
        text: The document.
        place: Where it is, for a person.
    """

    id: str
    text: str
    place: str


class _Operation(msgspec.Struct):
    """An operation in a manifest of Apollo."""

    id: str
    body: str
    name: str = ""


class _Manifest(msgspec.Struct):
    """A manifest of Apollo."""

    format: str
    version: int
    operations: list[_Operation]


def digest(text: str) -> str:
    """The SHA-256 of a document, in hex, as Apollo and GraphQL over HTTP have it."""
    return hashlib.sha256(text.encode()).hexdigest()


def trusted(content: bytes, file: str) -> list[TrustedDocument]:
    """The documents of a file.

    Args:
        content: What is in it.
        file: Its name.

    Raises `ConfigError` for a file that is none.
    """
    try:
        found: Any = msgspec.json.decode(content)
        if isinstance(found, dict) and "format" in found:
            return list(_of_apollo(msgspec.convert(found, _Manifest), file))
        texts = msgspec.convert(found, dict[str, str])
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{file}: {error}; {_EXPECTED}") from None
    return [TrustedDocument(id_, text, f"{file}: {id_}") for id_, text in texts.items()]


def _of_apollo(manifest: _Manifest, file: str) -> Iterator[TrustedDocument]:
    if (manifest.format, manifest.version) != (APOLLO, 1):
        raise ConfigError(
            f"{file}: expected `format` {APOLLO} and `version` 1; got {manifest.format} and"
            f" {manifest.version}"
        )
    for at, each in enumerate(manifest.operations):
        named = f" ({each.name})" if each.name else ""
        yield TrustedDocument(each.id, each.body, f"{file}: operations[{at}]{named}")
