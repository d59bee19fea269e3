"""What the application serves, and what runs beside it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.types import ASGIApp

from rollgraph.access.policies import Access
from rollgraph.adapters.prometheus import Metrics
from rollgraph.ports import Mirror, Tracing
from rollgraph.server.auth.wiring import Logins
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.published import Published
from rollgraph.server.settings import Settings
from rollgraph.server.streams.drain import Drain


@dataclass(frozen=True, slots=True)
class Services:
    """What the application serves, and what runs beside it.

    Attributes:
        settings: What the operator set.
        mirror: The fleet's model.
        endpoint: Answers GraphQL.
        watch: Keeps the mirror up with the fleet until cancelled.
        access: Who may see and do what; None if everybody may do everything.
        trusted: Documents that somebody has vouched for; None where there are none.
        logins: Who asks; None if nobody is asked who they are.
        announce: Tells clusters what was done, until cancelled; it needs `watch` for that.
        drain: Ends streams before the process does.
        graphiql: What the page for people loads; None if there is no such page.
        published: The schema as files; None where there are none.
        behind: What of Argo CD is not kept up at present; None if there is no Argo CD.
        metrics: What is counted.
        tracing: Follows work.
    """

    settings: Settings
    mirror: Mirror
    endpoint: ASGIApp
    watch: Callable[[], Awaitable[None]]
    graphiql: Graphiql | None = None
    published: Published | None = None
    behind: Callable[[], Sequence[str]] | None = None
    access: Access | None = None
    trusted: Trusted | None = None
    logins: Logins | None = None
    announce: Callable[[], Coroutine[Any, Any, None]] = anyio.sleep_forever
    drain: Drain = field(default_factory=Drain)
    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing = field(default_factory=Tracing)
