"""A gateway whose schema has a subscription of its own, over a real application in virtual time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import anyio
import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from fakes.clock import LoopClock
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.ports import OperationObserver
from rollgraph.schema.context import Context, Info
from rollgraph.schema.executor import Executor
from rollgraph.schema.limits.bounds import DEFAULTS
from rollgraph.schema.schema import Schema
from rollgraph.server.admission import Admission
from rollgraph.server.answers import Answers
from rollgraph.server.documents.persisted import Persisted
from rollgraph.server.failures import on_http_error
from rollgraph.server.graphql import Endpoint
from rollgraph.server.guard import LoopbackGuard
from rollgraph.server.journal import Journal
from rollgraph.server.rates import Rates
from rollgraph.server.streams.asking import Asking
from rollgraph.server.streams.drain import Drain
from rollgraph.server.streams.lifetime import Lifetime
from rollgraph.server.streams.means import Means, Rules
from rollgraph.server.streams.places import Places
from rollgraph.server.streams.serving import Identify, OfInit, Streams, nobody

CLOCK = LoopClock()


@strawberry.type
class Event:
    cursor: str
    number: int


@strawberry.type
class Query:
    @strawberry.field
    def subject(self, info: Info) -> str:
        """Who asks."""
        return info.context.caller.viewer.subject

    @strawberry.field
    def many(self) -> list[Event]:
        """Fewer than one would think."""
        return [Event(cursor="", number=1)]

    @strawberry.field
    def broken(self) -> bool | None:
        """Fails."""
        raise GraphQLError("broken")

    @strawberry.field
    async def slow(self, seconds: float) -> bool:
        """Takes its time."""
        await anyio.sleep(seconds)
        return True


@strawberry.type
class Mutation:
    @strawberry.field
    async def act(self, seconds: float) -> bool:
        """Takes its time."""
        await anyio.sleep(seconds)
        return True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(
        self, info: Info, most: int = 1_000_000, every: float = 1.0, resume_after: str = ""
    ) -> AsyncIterator[Event]:
        """Numbers, from the one after that which came last."""
        last = resume_after or info.context.resume_after
        first = int(last.removeprefix("c-") or -1) + 1
        for number in range(first, most):
            yield Event(cursor=f"c-{number}", number=number)
            await anyio.sleep(every)

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        """Has a bug after its first event."""
        yield 1
        raise RuntimeError("secret")

    @strawberry.subscription
    async def expires(self) -> AsyncIterator[int]:
        """Notices itself that the login has ended."""
        yield 1
        raise GraphQLError("the login has ended", extensions={"code": "TOKEN_EXPIRED"})


SCHEMA = Schema(
    DEFAULTS,
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=Executor,
)


class Gateway:
    """An application, and what its streams share."""

    def __init__(
        self,
        *,
        identify: Identify | None = None,
        of_init: OfInit = nobody,
        rules: Rules | None = None,
        places: Places | None = None,
        guarded: bool = False,
        rates: Rates | None = None,
        documents: Persisted | None = None,
        observer: OperationObserver | None = None,
        answers: Answers | None = None,
    ) -> None:
        boundless = Rates(MemoryBudgets(), points=0, action_points=0)
        admission = Admission(SCHEMA, rates or boundless, documents)
        asking = Asking(SCHEMA, self._context, admission=admission, observer=observer)
        self.means = Means(
            asking, Lifetime(CLOCK), places or Places(), Drain(), rules=rules or Rules()
        )
        who: Callable[[Any], Awaitable[Caller]] = identify or _anybody
        streams = Streams(self.means, who, of_init)
        endpoint = Endpoint(
            SCHEMA, self._context, answers, streams=streams, identify=who, admission=admission
        )
        middleware = [Middleware(Journal), *([Middleware(LoopbackGuard)] if guarded else [])]
        self.app = Starlette(
            routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)],
            middleware=middleware,
            exception_handlers={HTTPException: on_http_error},
        )

    def _context(self, request_id: str, caller: Caller) -> Context:
        patience = timedelta(seconds=10)
        return Context(MemoryMirror(CLOCK), CLOCK.now(), patience, request_id, caller=caller)


async def _anybody(_: object) -> Caller:
    return ANYBODY
