"""The schema as files: for code generators, editors and a federation's composition.

They tell what introspection tells, so they are for the same people: who may ask at `/graphql`, and
nobody where introspection is off. They are no secret, for every release has them; but a second way
around a setting would be one that nobody thinks of.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import anyio.to_thread
import orjson
from graphql import build_schema, introspection_from_schema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollgraph.schema.schema import print_sdl
from rollgraph.server.identifying import caller_of
from rollgraph.server.negotiation import JSON
from rollgraph.server.streams.serving import Identify, anybody

# Nothing is registered for GraphQL's definition language (graphql/graphql-spec#988): as text, a
# browser shows it, and tools look at the name.
TEXT = "text/plain; charset=utf-8"

HIDDEN = "This gateway does not tell its schema: it is in schema/schema.graphql of its release"


class Published:
    """The schema's files, made when they are first asked for.

    Args:
        identify: Tells who asks.
        hidden: Whether the schema is not told.
    """

    def __init__(self, identify: Identify = anybody, *, hidden: bool = False) -> None:
        self._identify = identify
        self._hidden = hidden
        self._files = {
            "schema.graphql": _File(TEXT, lambda: print_sdl().encode()),
            "subgraph.graphql": _File(TEXT, lambda: print_sdl(subgraph=True).encode()),
            "schema.json": _File(JSON, _introspection),
        }

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(f"/{name}", partial(self._file, file), name=name)
            for name, file in self._files.items()
        ]

    async def _file(self, file: "_File", request: Request[Any]) -> Response:
        await caller_of(request, self._identify)
        if self._hidden:
            raise HTTPException(404, HIDDEN)
        # Up to half a second, once: the loop has others to answer.
        etag = await anyio.to_thread.run_sync(lambda: file.etag)
        # Asked for again each time, and not sent again until the next release.
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if _has(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.media_type)


class _File:
    """One file.

    Args:
        media_type: What it is.
        make: Makes its content.
    """

    def __init__(self, media_type: str, make: Callable[[], bytes]) -> None:
        self.media_type = media_type
        self._make = make

    @cached_property
    def content(self) -> bytes:
        """What is in it."""
        return self._make()

    @cached_property
    def etag(self) -> str:
        """Changes with the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


def _introspection() -> bytes:
    """The answer to the usual introspection query, as tools take it in."""
    schema = build_schema(print_sdl())
    told: Any = introspection_from_schema(schema)
    for type_ in told["__schema"]["types"]:
        # Strawberry 0.341 has put a resolver in graphql-core's place that knows its own types only.
        type_["isOneOf"] = getattr(schema.get_type(type_["name"]), "is_one_of", None)
    return orjson.dumps({"data": told})


def _has(if_none_match: str, etag: str) -> bool:
    """Whether a caller has that version; compared weakly (RFC 9110, 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag in known or known == ["*"]
