"""The schema as a whole."""

import hashlib

from graphql import GraphQLError
from strawberry import federation
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from rollgraph.schema import enums as _enums  # noqa: F401 (gives core's enums their public names)
from rollgraph.schema.errors import translate
from rollgraph.schema.query import Query
from rollgraph.schema.scalars import SCALARS
from rollgraph.schema.sdl import api_sdl, subgraph_sdl
from rollgraph.schema.types.gateway import FEDERATION_VERSION
from rollgraph.schema.types.steps import STEP_TYPES

# Portals send a few hundred distinct documents; a parsed one takes some 50 KiB.
_DOCUMENTS = 512


class Schema(federation.Schema):
    """A Federation 2 subgraph whose errors are all translated, whichever way they came about."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Called once with the errors of an answer, of parsing and validation too."""
        context = execution_context.context if execution_context else None
        for error in errors:
            translate(error, getattr(context, "request_id", ""))


def build_schema() -> Schema:
    """Builds the schema that is served."""
    return _schema(in_order=False)


def print_sdl(*, subgraph: bool = False) -> str:
    """The schema in GraphQL's definition language.

    Args:
        subgraph: As a federation's router takes it in (`schema/subgraph.graphql`); else as clients
            see it (`schema/schema.graphql`).
    """
    schema = _schema(in_order=True)
    return subgraph_sdl(schema) if subgraph else api_sdl(schema)


def schema_hash() -> str:
    """SHA-256 of the schema's text as clients see it, in hex."""
    return hashlib.sha256(print_sdl().encode()).hexdigest()


def _schema(*, in_order: bool) -> Schema:
    # A schema that strawberry 0.341 has put in order cannot resolve unions: it looks for a type of
    # the schema before among the types of the one after. So it serves for printing alone.
    return Schema(
        query=Query,
        types=list(STEP_TYPES.values()),
        federation_version=FEDERATION_VERSION,
        config=StrawberryConfig(scalar_map=SCALARS, sort_schema=in_order),
        extensions=[
            lambda: ParserCache(maxsize=_DOCUMENTS),
            lambda: ValidationCache(maxsize=_DOCUMENTS),
        ],
    )
