"""The schema as a whole."""

import strawberry
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from rollgraph.schema import enums as _enums  # noqa: F401 (gives core's enums their public names)
from rollgraph.schema.errors import TranslateErrors
from rollgraph.schema.query import Query
from rollgraph.schema.scalars import SCALARS
from rollgraph.schema.types.steps import STEP_TYPES

# Portals send a few hundred distinct documents; a parsed one takes some 50 KiB.
_DOCUMENTS = 512


def build_schema() -> strawberry.Schema:
    """Builds the schema; call it once per process."""
    return strawberry.Schema(
        query=Query,
        types=list(STEP_TYPES.values()),
        config=StrawberryConfig(scalar_map=SCALARS, sort_schema=True),
        extensions=[
            TranslateErrors,
            lambda: ParserCache(maxsize=_DOCUMENTS),
            lambda: ValidationCache(maxsize=_DOCUMENTS),
        ],
    )


def print_sdl(schema: strawberry.Schema) -> str:
    """The schema in GraphQL's definition language, as `schema/schema.graphql` holds it."""
    return schema.as_str() + "\n"
