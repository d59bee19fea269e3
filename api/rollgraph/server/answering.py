"""What is between a question and the fleet's model."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from starlette.responses import HTMLResponse, Response

from rollgraph.access.caller import Caller
from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import Operations
from rollgraph.ports import Clock, Mirror, Newsroom, Tracing
from rollgraph.schema.context import About, Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.limits.bounds import Limits as Bounds
from rollgraph.schema.schema import Schema, build_schema, schema_hash
from rollgraph.server import graphiql, metering
from rollgraph.server.admission import Admission
from rollgraph.server.answers import Answers
from rollgraph.server.documents import wiring as documents
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.graphql import Endpoint
from rollgraph.server.page import PAGE
from rollgraph.server.people import People
from rollgraph.server.rates import Rates
from rollgraph.server.settings import Http, Limits, Settings
from rollgraph.server.settings import Rates as RateSettings
from rollgraph.server.sharing import Shared
from rollgraph.server.streams.asking import Asking
from rollgraph.server.streams.lifetime import Lifetime
from rollgraph.server.streams.means import Means, Rules
from rollgraph.server.streams.places import Places
from rollgraph.server.streams.serving import Streams


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers.

    Attributes:
        endpoint: Answers GraphQL.
        means: What streams share.
        trusted: Documents that somebody has vouched for; None where there are none.
        graphiql: What the page for people loads; None if there is no such page.
    """

    endpoint: Endpoint
    means: Means
    trusted: Trusted | None
    graphiql: Graphiql | None


def answering(
    settings: Settings,
    people: People,
    mirror: Mirror,
    news: Newsroom,
    shared: Shared,
    clock: Clock,
    *,
    metrics: Metrics,
    operations: Operations,
    tracing: Tracing,
) -> Answering:
    """Puts together what answers.

    Args:
        settings: What the operator set.
        people: Who asks, and what acts for them.
        mirror: What is answered from.
        news: What subscribers are told.
        shared: Where budgets and documents are, if other processes have them, too.
        clock: The time of day.
        metrics: Where it is told what is kept, and what goes on.
        operations: Hears what becomes of operations.
        tracing: Follows them.
    """
    limits, logins = settings.limits, people.logins
    bundle = graphiql.load() if settings.http.graphiql else None
    schema = build_schema(bounds(limits), operations, tracing)
    fragments, answers = FragmentCache(), Answers(lambda: mirror.version)
    context = _contexts(settings, people, mirror, news, clock, fragments)
    trusted = documents.trusted(settings.documents, schema.complaints)
    found = documents.persisted(settings.documents, shared.documents, trusted)
    admission = Admission(schema, _rates(settings.rates, shared), found)
    asking = _asking(limits, schema, context, admission, operations, tracing)
    means = _means(settings, asking, clock)
    metering.caches(metrics, answers, fragments)
    metering.streams(metrics, means.places.by_transport)
    endpoint = Endpoint(
        schema,
        context,
        answers,
        _visit(settings.http, bundle),
        streams=Streams(means, logins.identify, logins.of_init),
        identify=logins.identify,
        admission=admission,
        longest_body=limits.body,
        timeout=limits.timeout,
        action_timeout=limits.action_timeout,
    )
    return Answering(endpoint, means, trusted, bundle)


def trusted(settings: Settings) -> Trusted | None:
    """The trusted documents by themselves, to see whether they fit; None where there are none."""
    schema = build_schema(bounds(settings.limits))
    return documents.trusted(settings.documents, schema.complaints)


def bounds(settings: Limits) -> Bounds:
    """What one operation may have, as the schema takes it."""
    return Bounds(
        tokens=settings.tokens,
        depth=settings.depth,
        aliases=settings.aliases,
        root_fields=settings.root_fields,
        directives=settings.directives,
        cost=settings.cost,
        introspection=settings.introspection,
    )


def _contexts(
    settings: Settings,
    people: People,
    mirror: Mirror,
    news: Newsroom,
    clock: Clock,
    fragments: FragmentCache,
) -> Callable[[str, Caller], Context]:
    """Makes the surroundings of a request, given its id and who asks."""
    patience = timedelta(seconds=settings.spokes.stale_after)
    about = About(version("rollgraph"), schema_hash(), bounds(settings.limits))
    authority = people.access

    def today(caller: Caller) -> Caller:
        # They may have been known for hours, as long as their socket is open.
        return (
            caller if authority is None else Caller(authority.rights(caller.viewer), caller.token)
        )

    return lambda request_id, caller: Context(
        mirror,
        clock.now(),
        patience,
        request_id,
        about,
        fragments=fragments,
        caller=today(caller),
        actor=people.hands.actor,
        audit=people.audit,
        news=news,
        authority=authority,
        clock=clock,
    )


def _rates(settings: RateSettings, shared: Shared) -> Rates:
    """What callers may spend."""
    return Rates(
        MemoryBudgets(),
        shared.budgets,
        points=settings.points,
        action_points=settings.action_points,
    )


def _asking(
    settings: Limits,
    schema: Schema,
    context: Callable[[str, Caller], Context],
    admission: Admission,
    operations: Operations,
    tracing: Tracing,
) -> Asking:
    """What executes operations of streams."""
    times = (settings.timeout, settings.action_timeout)
    return Asking(
        schema, context, *times, admission=admission, observer=operations, tracing=tracing
    )


def _means(settings: Settings, asking: Asking, clock: Clock) -> Means:
    """What streams share."""
    given = settings.streams
    rules = Rules(given.init_timeout, given.heartbeat, given.patience, given.per_connection)
    return Means(asking, Lifetime(clock), Places(given.most, given.per_viewer), rules=rules)


def _visit(settings: Http, bundle: Graphiql | None) -> Callable[[], Response]:
    """Makes what people get at /graphql."""
    if bundle is not None:
        return bundle.visit
    return graphiql.not_built if settings.graphiql else lambda: HTMLResponse(PAGE)
