"""Reading documents: counted, parsed, measured, validated, and kept for the next request."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from rollgraph.schema.limits.bounds import Limits, objections, too_long
from rollgraph.schema.limits.costs import Costs
from rollgraph.schema.limits.dryrun import only_measured
from rollgraph.schema.limits.measure import Measure, Measurer
from rollgraph.schema.limits.price import Price, price_of
from rollgraph.schema.limits.tokens import count_tokens
from rollgraph.schema.limits.values import Figure, figures_of

RULES: tuple[type[ASTValidationRule], ...] = (
    *specified_rules,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)

# Bytes. Portals send a few hundred documents of some 100 tokens: all of those stay. With the limit
# on tokens, none is larger than 1 MB.
MAX_BYTES = 32 * 1024 * 1024
# What a parsed token takes, with its place in the text.
_BYTES_PER_TOKEN = 400
# Measures of one document: its operations, with values of variables that make a difference.
_MAX_MEASURES = 32


class Document:
    """One document that has been parsed.

    Attributes:
        node: The document; always the same one while it is kept.
        operations: How many operations it has.
        size: Bytes that keeping it takes, roughly.
        complaints: What GraphQL's rules say about it; None before they were asked.
    """

    __slots__ = ("complaints", "measures", "node", "operations", "size")

    def __init__(self, node: DocumentNode, size: int) -> None:
        self.node = node
        self.operations = sum(isinstance(d, OperationDefinitionNode) for d in node.definitions)
        self.size = size
        self.complaints: list[GraphQLError] | None = None
        self.measures: OrderedDict[tuple[object, ...], Measure] = OrderedDict()


class Verdict(msgspec.Struct, frozen=True):
    """What is to be said of an operation before it is executed.

    Attributes:
        errors: Why it is refused; empty if it is not.
        cost: What it costs; None where that is not known.
        price: What it takes of its caller's budget; None for what is refused.
        node: The document to execute; None for the one that was checked.
    """

    errors: list[GraphQLError]
    cost: int | None = None
    price: Price | None = None
    node: DocumentNode | None = None


class Documents:
    """The documents of late, each read once.

    Limits come before rules: a document that is too large is not worth validating, which takes
    longer than measuring.

    Args:
        schema: What documents are checked against.
        limits: What an operation may have.
        max_bytes: Bytes of documents that are kept; the least recently used goes first.
    """

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, *, max_bytes: int = MAX_BYTES
    ) -> None:
        self.limits = limits
        self._schema = schema
        self._costs = Costs(schema)
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._size = 0

    def read(self, text: str) -> Document:
        """Parses a document, or gives the one that is kept.

        Raises `GraphQLError` for a document that is too long or is not GraphQL.
        """
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        tokens = count_tokens(text)
        if tokens > self.limits.tokens:
            raise too_long(tokens, self.limits.tokens)
        document = Document(parse(text), len(text) + tokens * _BYTES_PER_TOKEN)
        self._keep(text, document)
        return document

    def check(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any]
    ) -> Verdict:
        """Measures and validates the operation of a document that is about to be executed."""
        operation = get_operation_ast(document.node, operation_name)
        measure = self._measure(document, operation, variables) if operation else Measure()
        if refused := list(objections(measure, self.limits)):
            return Verdict(refused, measure.cost)
        if document.complaints is None:
            document.complaints = self._validate(document.node)
        if document.complaints or operation is None:
            return Verdict(document.complaints, measure.cost)
        alone = only_measured(document.node, operation, variables)
        price = price_of(operation, measure, executed=alone is None)
        return Verdict([], measure.cost, price, alone)

    def complaints(self, text: str) -> list[GraphQLError]:
        """What GraphQL's rules say about a document. Raises `GraphQLError` as `read` does.

        It keeps nothing, and so may run in a thread.
        """
        tokens = count_tokens(text)
        if tokens > self.limits.tokens:
            raise too_long(tokens, self.limits.tokens)
        return self._validate(parse(text))

    def _measure(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Measure:
        figures = figures_of(self._schema, operation, variables)
        key = (id(operation), *_numbers(figures))
        if key not in document.measures:
            measurer = Measurer(self._costs, document.node, figures)
            document.measures[key] = measurer.measure(operation)
            if len(document.measures) > _MAX_MEASURES:
                document.measures.popitem(last=False)
        return document.measures[key]

    def _validate(self, node: DocumentNode) -> list[GraphQLError]:
        # Who may not ask for the schema is not told its names by guessing either.
        hidden = not self.limits.introspection
        return validate(self._schema, node, RULES, hide_suggestions=hidden)

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._size += document.size
        while self._size > self._max_bytes:
            self._size -= self._kept.popitem(last=False)[1].size


def _numbers(figures: Mapping[str, Figure]) -> Iterator[tuple[str, int | None, int]]:
    for name, figure in figures.items():
        yield name, figure.size, figure.weight
