"""The schema as a whole."""

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import Any, cast

from graphql import GraphQLError, OperationDefinitionNode, get_operation_ast
from strawberry import Info, federation
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Key
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.schema.schema import StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.graphql import OperationType

from rollgraph.core.verbs import Verb
from rollgraph.ports import OperationObserver, Tracing
from rollgraph.schema.errors import translate
from rollgraph.schema.executor import Executor
from rollgraph.schema.guard import Guard, guard_of, watch
from rollgraph.schema.limits.bounds import DEFAULTS, Limits, ambiguous
from rollgraph.schema.limits.documents import Documents
from rollgraph.schema.limits.extension import Reading
from rollgraph.schema.limits.price import Price
from rollgraph.schema.limits.published import publish
from rollgraph.schema.mutation import Mutation
from rollgraph.schema.observing import Observing
from rollgraph.schema.query import Query
from rollgraph.schema.references import entity
from rollgraph.schema.scalars import SCALARS
from rollgraph.schema.sdl import api_sdl, subgraph_sdl
from rollgraph.schema.streams.serving import Serving, refusal
from rollgraph.schema.subscription import Subscription
from rollgraph.schema.types.events import EVENT_TYPES
from rollgraph.schema.types.gateway import FEDERATION_VERSION
from rollgraph.schema.types.steps import STEP_TYPES
from rollgraph.schema.types.user_errors import USER_ERRORS

# Strawberry makes these fields, so that they cannot be decorated.
_ROUTER_GUARDS = {"Query._entities": Guard(verb=Verb.GET), "Query._service": Guard()}


class Schema(federation.Schema):
    """A Federation 2 subgraph with limits, whose errors are all translated.

    Args:
        limits: What one operation may have.
        observer: Hears what becomes of operations.
        tracing: Follows them.
        parts: As strawberry's schema takes them.
    """

    def __init__(
        self,
        limits: Limits,
        observer: OperationObserver | None = None,
        tracing: Tracing | None = None,
        **parts: Any,
    ) -> None:
        self._observing = Observing(observer, tracing)
        super().__init__(extensions=[self._reading], **parts)
        self._documents = Documents(self._schema, limits)
        self._serving = Serving(self._schema, hidden=not limits.introspection)

    def kind(self, query: str, operation_name: str | None) -> OperationType | None:
        """What the operation of a document does; None if the document cannot say."""
        operation = self._operation(query, operation_name)
        return OperationType(operation.operation.value) if operation else None

    def _operation(self, query: str | None, name: str | None) -> OperationDefinitionNode | None:
        try:
            return get_operation_ast(self._documents.read(query or "").node, name)
        except GraphQLError:
            return None

    def price(
        self, query: str, operation_name: str | None, variables: Mapping[str, Any]
    ) -> Price | None:
        """What an operation takes of its caller's budget; None for one that will be refused."""
        try:
            document = self._documents.read(query)
        except GraphQLError:
            return None
        if operation_name is None and document.operations > 1:
            return None
        return self._documents.check(document, operation_name, variables).price

    def complaints(self, text: str) -> list[GraphQLError]:
        """What is wrong with a document, whichever of its operations is asked for."""
        try:
            return self._documents.complaints(text)
        except GraphQLError as error:
            return [error]

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """The answer to an operation; it is observed."""
        with self._observing.one(self._operation(query, operation_name)) as tell:
            result = await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
            tell(result)
        return result

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        """The answers to an operation: one, or those of a subscription as they come.

        All transports of streams ask here. The data of a subscription's answers are encoded
        already (`streams.answer`).
        """
        subscription = OperationType.SUBSCRIPTION
        if query is None or self.kind(query, operation_name) is not subscription:
            results = await super().stream(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                operation_extensions,
                allowed_operation_types,
            )
            return self._observed(results, self._operation(query, operation_name))
        if allowed_operation_types is not None and subscription not in allowed_operation_types:
            raise InvalidOperationTypeError(subscription)
        return self._subscribe(query, variable_values or {}, context_value, operation_name)

    async def _observed(
        self, results: StreamResult, operation: OperationDefinitionNode | None
    ) -> AsyncGenerator[Any, None]:
        async with aclosing(results):
            with self._observing.one(operation) as tell:
                async for result in results:
                    tell(result)
                    yield result  # noqa: ASYNC119 - whoever asks closes

    def _subscribe(
        self, query: str, variables: dict[str, Any], context: Any, operation_name: str | None
    ) -> AsyncGenerator[ExecutionResult, None]:
        document = self._documents.read(query)
        if operation_name is None and document.operations > 1:
            return _refused(ambiguous(), context=context)
        verdict = self._documents.check(document, operation_name, variables)
        if verdict.errors:
            return _refused(*verdict.errors, context=context)
        return self._serving.answers(document.node, query, variables, context, operation_name)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """The fields of a type, with what they cost; those for a router with their guards."""
        fields = super().get_fields(type_definition)
        names = self.config.name_converter
        publish(fields, type_definition, names)
        for field in fields:
            guard = _ROUTER_GUARDS.get(
                f"{names.from_type(type_definition)}.{names.from_field(field)}"
            )
            if guard is not None and guard_of(field) is None:
                watch(field, guard)
        return fields

    def entities_resolver(
        self, info: Info, representations: list[FederationAny]
    ) -> list[FederationAny]:
        """The objects of a router's references; strawberry's own breaks over wrong ones."""
        found = [entity(self._entities, info, item) for item in representations]
        return cast("list[FederationAny]", found)

    @cached_property
    def _entities(self) -> dict[str, type]:
        """The types that have keys, by name."""
        definitions = [type_.definition for type_ in self.schema_converter.type_map.values()]
        return {
            definition.name: definition.origin
            for definition in definitions
            if isinstance(definition, StrawberryObjectDefinition)
            and any(isinstance(directive, Key) for directive in definition.directives or ())
        }

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Called once with the errors of an answer, of parsing and validation too."""
        context = execution_context.context if execution_context else None
        for error in errors:
            translate(error, getattr(context, "request_id", ""))

    def _get_federation_query_type(self, *args: Any) -> type:
        """The root with a router's fields: a subclass of `Query`, which payloads name too.

        Strawberry takes two classes for the same type if they say that they are from the same
        place, and else for two types of one name.
        """
        root = super()._get_federation_query_type(*args)
        root.__module__ = Query.__module__
        return root

    def _reading(self) -> Reading:
        return Reading(self._documents)

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        hidden = not self._documents.limits.introspection
        arguments = super()._get_custom_context_kwargs(operation_extensions, sync=sync)
        return {**arguments, "hide_suggestions": hidden}


async def _refused(*errors: GraphQLError, context: Any) -> AsyncGenerator[ExecutionResult, None]:
    yield refusal([*errors], context)


def build_schema(
    limits: Limits = DEFAULTS,
    observer: OperationObserver | None = None,
    tracing: Tracing | None = None,
) -> Schema:
    """Builds the schema that is served."""
    return _schema(limits, observer, tracing, in_order=False)


def print_sdl(*, subgraph: bool = False) -> str:
    """The schema in GraphQL's definition language.

    Args:
        subgraph: As a federation's router takes it in (`schema/subgraph.graphql`); else as clients
            see it (`schema/schema.graphql`).
    """
    schema = _schema(DEFAULTS, in_order=True)
    return subgraph_sdl(schema) if subgraph else api_sdl(schema)


def schema_hash() -> str:
    """SHA-256 of the schema's text as clients see it, in hex."""
    return hashlib.sha256(print_sdl().encode()).hexdigest()


def _schema(
    limits: Limits,
    observer: OperationObserver | None = None,
    tracing: Tracing | None = None,
    *,
    in_order: bool,
) -> Schema:
    # A schema that strawberry 0.341 has put in order cannot resolve unions: it looks for a type of
    # the schema before among the types of the one after. So it serves for printing alone.
    return Schema(
        limits,
        observer,
        tracing,
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*STEP_TYPES.values(), *USER_ERRORS, *set(EVENT_TYPES.values())],
        federation_version=FEDERATION_VERSION,
        execution_context_class=Executor,
        config=StrawberryConfig(scalar_map=SCALARS, sort_schema=in_order),
    )
