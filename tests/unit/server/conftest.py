"""An application on a schema of two fields, with no fleet behind it."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeAlias, cast

import anyio
import pytest
import strawberry
import structlog
from starlette.testclient import TestClient

from rollgraph.server.app import create_app
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.graphql import Endpoint
from rollgraph.server.logging import AUDIT_LOGGER
from rollgraph.server.services import Services
from rollgraph.server.settings import Settings
from unit.server.mirror import KnownClusters


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    """Takes back what `logging.configure` does to the process."""
    root = logging.getLogger()
    handlers, level, config = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    audit = logging.getLogger(AUDIT_LOGGER)
    for handler in audit.handlers:
        with suppress(OSError):  # of a full disk
            handler.close()
    audit.handlers, audit.propagate = [], True
    structlog.configure(**config)


@strawberry.type
class Query:
    @strawberry.field
    def request_id(self, info: strawberry.Info[str, None]) -> str:
        """The context of these tests is the request's id."""
        return info.context

    @strawberry.field
    def crash(self) -> str | None:
        """A field with a bug."""
        raise RuntimeError("secret")


class RequestId(str):
    """A context that is a request's id, and can be told what to do if the request acts."""

    on_action: Callable[[], None]


class Crashing(Endpoint):
    """An endpoint with a bug."""

    async def get_context(self, request: object, response: object) -> object:
        raise RuntimeError("secret")


Make: TypeAlias = Callable[..., TestClient]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes clients of applications; each argument may be replaced."""
    clients: list[TestClient] = []

    def made(
        mirror: KnownClusters | None = None,
        *,
        known: tuple[str, ...] = (),
        watch: Callable[[], Awaitable[None]] = anyio.sleep_forever,
        announce: Callable[[], Coroutine[Any, Any, None]] = anyio.sleep_forever,
        on_death: Callable[[Exception], None] = lambda _: None,
        endpoint: type[Endpoint] = Endpoint,
        settings: Settings | None = None,
        graphiql: Graphiql | None = None,
    ) -> TestClient:
        schema = strawberry.Schema(Query)
        visit: dict[str, Any] = {} if graphiql is None else {"visit": graphiql.visit}
        services = Services(
            settings=settings or Settings(),
            mirror=mirror or KnownClusters(),
            endpoint=endpoint(
                schema, lambda request_id, _: cast("Any", RequestId(request_id)), **visit
            ),
            watch=watch,
            announce=announce,
            graphiql=graphiql,
        )
        app = create_app(services, known, on_death=on_death)
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        client.__enter__()
        clients.append(client)
        return client

    yield made
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make: Make) -> TestClient:
    """A client of an application with nothing replaced."""
    return make()
