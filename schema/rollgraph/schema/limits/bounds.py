"""The limits as values, and what is said of a request that is beyond one."""

from collections.abc import Iterator

import msgspec
from graphql import GraphQLError

from rollgraph.schema.limits.measure import Measure


class Limits(msgspec.Struct, frozen=True):
    """What one operation may have at most, with its fragments in place.

    Attributes:
        tokens: Names, numbers, strings, comments and punctuation marks of the document.
        depth: Fields within each other; a connection's `edges` is no level of its own.
        aliases: Fields under another name.
        root_fields: Fields of the operation itself.
        directives: `@include`, `@skip` and the like.
        cost: Objects of the answer, and the work behind them (`weights`).
        introspection: Whether the schema may be asked for itself.
    """

    tokens: int = 2000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    cost: int = 5000
    introspection: bool = True


DEFAULTS = Limits()

# The standard introspection query costs some 63,000 by the sizes that `weights` assumes, and takes
# 0.1 s. Nobody needs two of them in one request, nor the fields of the types of all fields.
MAX_INTROSPECTION = 100_000
# Points for what is asked for again under the same name: a field 1, an object 10, one more fragment
# beside another 5. Validation compares each with each: it took a second over 490 repeated objects;
# 500 points take it 50 ms. Components that bring their own fragments reach some 100.
MAX_REPEATS = 500
# More than this is only said to be this much.
_MOST = 10**12


def too_long(tokens: int, limit: int) -> GraphQLError:
    """What is said of a document that is not even parsed."""
    return _objection(
        "QUERY_TOO_LONG",
        "The document has {} tokens, and {} are allowed: ask in several requests, or "
        "put what repeats into a fragment",
        tokens,
        limit,
    )


def ambiguous() -> GraphQLError:
    """What is said of a request that does not say which of its operations it wants."""
    return GraphQLError("The document has several operations: name one with `operationName`")


def objections(measure: Measure, limits: Limits) -> Iterator[GraphQLError]:
    """What is said of an operation: one error for each limit that it is beyond."""
    if measure.introspection and not limits.introspection:
        yield GraphQLError(
            "This gateway does not tell its schema: it is in schema/schema.graphql of its release",
            extensions={"code": "INTROSPECTION_DISABLED"},
        )
    for code, message, measured, limit in _compared(measure, limits):
        if measured > limit:
            yield _objection(code, message, measured, limit)


def _compared(measure: Measure, limits: Limits) -> Iterator[tuple[str, str, int, int]]:
    yield (
        "QUERY_TOO_DEEP",
        "The fields lie {} deep within each other, and {} are allowed: ask for what is further in "
        "by its `id`",
        measure.depth,
        limits.depth,
    )
    yield (
        "QUERY_TOO_COSTLY",
        "The request costs {}, and {} are allowed: ask for shorter pages (`first`), or for less of "
        "each object",
        measure.cost,
        limits.cost,
    )
    yield (
        "TOO_MANY_ALIASES",
        "The request has {} aliases, and {} are allowed: ask in several requests, or with `nodes`",
        measure.aliases,
        limits.aliases,
    )
    yield (
        "TOO_MANY_ROOT_FIELDS",
        "The request asks {} things at once, and {} are allowed: ask in several requests",
        measure.fields,
        limits.root_fields,
    )
    yield (
        "TOO_MANY_DIRECTIVES",
        "The request has {} directives, and {} are allowed: leave fields out instead",
        measure.directives,
        limits.directives,
    )
    yield (
        "TOO_MANY_REPEATS",
        "What is asked for again under the same name makes {} points (a field 1, an object 10, one "
        "more fragment 5), and {} are allowed: ask for each once",
        measure.all_repeats(),
        MAX_REPEATS,
    )
    yield (
        "INTROSPECTION_TOO_COSTLY",
        "The questions about the schema cost {}, and {} are allowed, which is enough for the usual "
        "introspection: ask less at once",
        measure.introspection,
        MAX_INTROSPECTION,
    )


def _objection(code: str, message: str, measured: int, limit: int) -> GraphQLError:
    # A ladder of fragments easily costs more than what JSON readers take for a number.
    measured = min(measured, _MOST)
    text = message.format(measured, limit)
    return GraphQLError(text, extensions={"code": code, "measured": measured, "limit": limit})
