"""One text for the readers of the code and of the schema: docstrings become descriptions."""

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=type[Enum])


def text(documented: object) -> str:
    """The docstring as a description; a missing one is a bug that shows as the schema is built."""
    doc = inspect.getdoc(documented)
    if not doc:
        raise TypeError(
            f"{documented!r} has no docstring, and the schema needs a description of it"
        )
    return doc


def resolved(resolver: Callable[..., Any]) -> Any:
    """Makes a method a field whose description is the method's docstring."""
    return strawberry.field(resolver, description=text(resolver))


def resolved_as(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Like `resolved`, for a field whose name the class has another use for."""
    return lambda resolver: strawberry.field(resolver, name=name, description=text(resolver))


def enum(cls: E, name: str, description: str, values: Mapping[str, str]) -> E:
    """Publishes an enum of the core under a name, with a description for each of its values.

    Core does not know GraphQL, so the descriptions live here; a value without one is a bug that
    shows when the schema is built.
    """
    published = strawberry.enum(cls, name=name, description=description)
    definition: StrawberryEnumDefinition = vars(published)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[value.name]
    return published
