"""From a subscription to its answers: checked, subscribed, and executed for each event.

It stands in the place of strawberry's and graphql-core's own way, which executes for each reader
apart, under one context for as long as the stream lasts.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Hashable, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, TypeVar, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)
from strawberry.types import ExecutionResult as Result
from strawberry.types.execution import PreExecutionError

from rollgraph.core.errors import RollgraphError
from rollgraph.schema.context import Context
from rollgraph.schema.errors import translate
from rollgraph.schema.executor import Executor
from rollgraph.schema.fragments import variables_below
from rollgraph.schema.streams.answer import Answer, answer
from rollgraph.schema.streams.sharing import Sharing
from rollgraph.schema.streams.stream import Stream
from rollgraph.schema.streams.telling import Event

R = TypeVar("R", bound=Result)

# Executors that are kept, each with what it has found out of a selection: some 20 KiB.
MAX_EXECUTORS = 256


class Serving:
    """Serves the subscriptions of one schema.

    Args:
        schema: The schema.
        hidden: Whether errors keep quiet about what the schema has.
    """

    def __init__(self, schema: GraphQLSchema, *, hidden: bool) -> None:
        self._schema = schema
        self._hidden = hidden
        self._sharing = Sharing()
        self._executors: OrderedDict[Hashable, Executor] = OrderedDict()

    async def answers(
        self,
        document: DocumentNode,
        text: str,
        variables: Mapping[str, Any],
        context: Context,
        operation_name: str | None,
    ) -> AsyncGenerator[Result, None]:
        """The answers of a subscription that is valid; its errors are translated.

        Whoever asks for them closes them.
        """
        executor = Executor.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=dict(variables),
            operation_name=operation_name,
            hide_suggestions=self._hidden,
        )
        if isinstance(executor, list):
            yield refusal(executor, context)
            return
        source = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield refusal(source.errors or [], context)
        elif isinstance(source, Stream):
            reader = self._reader(cast("Executor", executor), text, context, source)
            del executor
            async with aclosing(source):
                try:
                    async for event in source:
                        # What many get is there for all but the first, without a coroutine.
                        key = reader.key(event)
                        kept = self._sharing.find(key)
                        yield (  # noqa: ASYNC119
                            await self._answer(reader, event, key)
                            if kept is None
                            else kept.at(event.cursor)
                        )
                except RollgraphError as error:
                    yield reader.last_words(error)  # noqa: ASYNC119
        else:
            async with aclosing(map_source_to_response_event(executor, source)) as results:
                async for result in results:
                    yield _translated(answer(result.data, result.errors, ""), context)  # noqa: ASYNC119

    def _reader(
        self, executor: Executor, text: str, context: Context, source: Stream[Any]
    ) -> "_Reader":
        """A reader, who shares an executor with those who select the same on an event.

        What an executor finds out of a selection, and keeps, is most of what a reader takes.
        """
        asks = (text, _name(executor.operation), _values(executor))
        key = (asks, executor.scopes)
        executor.context_value = None  # it outlives its reader, whose login is nobody else's
        shared = self._executors.setdefault(key, executor)
        self._executors.move_to_end(key)
        if len(self._executors) > MAX_EXECUTORS:
            self._executors.popitem(last=False)
        return _Reader(shared, asks, context, source)

    async def _answer(self, reader: "_Reader", event: Event, key: Hashable) -> Answer:
        if key is None:
            return (await reader.execute(event))[0]
        made, sharable = await reader.execute(event.shared())
        if sharable:
            self._sharing.keep(key, made)
        return made.at(event.cursor)


class _Reader:
    """One subscription.

    Args:
        executor: Executes what is selected on an event.
        asks: Equal for subscriptions that select the same on an event.
        context: The subscription's surroundings.
        stream: Its events.

    Attributes:
        asks: The same.
        stream: The same.
    """

    def __init__(
        self, executor: Executor, asks: Hashable, context: Context, stream: Stream[Any]
    ) -> None:
        self._executor = executor
        self._context = context
        self.stream = stream
        self.asks = asks

    def key(self, event: Event) -> Hashable:
        """Equal for two readers only if the answer to an event is the same; None if it is one's."""
        if event.key is None:
            return None
        return (self.asks, self.stream.viewing.caller.rights.key, event.key)

    async def execute(self, event: Event) -> tuple[Answer, bool]:
        """The answer to an event, and whether others may have it, too."""
        context = self.stream.viewing.context()
        executor = self._executor.for_event(event.object(), context)
        result = execute_subscription_event(executor)
        if isawaitable(result):
            result = await result
        made = answer(result.data, result.errors, event.cursor, event.trace)
        sharable = not result.errors and not context.caller_reads
        return _translated(made, context), sharable

    def last_words(self, error: RollgraphError) -> Answer:
        """What is said when the stream ends by an error."""
        nodes = [*self._executor.operation.selection_set.selections]
        told = GraphQLError(str(error), nodes=nodes, original_error=error)
        return _translated(answer(None, [told], ""), self._context)


def refusal(errors: list[GraphQLError], context: Context) -> PreExecutionError:
    """What is said of a subscription that does not even begin."""
    return _translated(PreExecutionError(data=None, errors=errors), context)


def _translated(result: R, context: Context) -> R:
    for error in result.errors or ():
        translate(error, context.request_id)
    return result


def _name(operation: OperationDefinitionNode) -> str:
    return operation.name.value if operation.name else ""


def _values(executor: Executor) -> str:
    """The values of the variables that what is selected on an event depends on.

    Those of the stream's own arguments are none of them: which events a reader gets is in the
    events' keys.
    """
    fields = executor.operation.selection_set.selections
    below = [
        part
        for field in fields
        for part in (
            (field.selection_set, *(field.directives or ()))
            if isinstance(field, FieldNode)
            else (field,)
        )
        if part is not None
    ]
    names = sorted(set(variables_below(below, executor.fragment_definitions)))
    return repr([executor.variable_values.coerced.get(name) for name in names])
