"""Where strawberry lets us read and check documents."""

from collections.abc import Iterator
from typing import Any

from strawberry.extensions import SchemaExtension

from rollgraph.schema.limits.bounds import ambiguous
from rollgraph.schema.limits.documents import Document, Documents, Verdict

# The key of a request's `extensions` by which it asks for its cost.
ASK = "cost"


class Reading(SchemaExtension):
    """Parses, measures and validates, instead of strawberry's own ways; one for each request.

    Args:
        documents: Those of the schema.
    """

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self._document: Document | None = None
        self._verdict: Verdict | None = None

    def on_parse(self) -> Iterator[None]:
        """Gives the parsed document. Raises `GraphQLError` where there is none."""
        context = self.execution_context
        assert context.query is not None
        self._document = self._documents.read(context.query)
        context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        """Gives the errors, limits before rules."""
        context = self.execution_context
        assert self._document is not None
        # Strawberry 0.341 takes the first operation where the request names none of several.
        if context._provided_operation_name is None and self._document.operations > 1:
            context.pre_execution_errors = [ambiguous()]
            yield
            return
        self._verdict = self._documents.check(
            self._document, context.operation_name, context.variables or {}
        )
        context.pre_execution_errors = self._verdict.errors
        if self._verdict.node is not None:
            context.graphql_document = self._verdict.node
        yield

    def get_results(self) -> dict[str, Any]:
        """The cost, for a request that asks for it with `"extensions": {"cost": true}`.

        The server adds what it comes to in the end, and what is left of the caller's budget.
        """
        asked = self.execution_context.operation_extensions or {}
        if not asked.get(ASK) or self._verdict is None:
            return {}
        cost, limit = self._verdict.cost, self._documents.limits.cost
        return {"cost": {"requested": cost, "max": limit}}
