"""From settings to everything that runs: the only place where adapters are chosen."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import anyio
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.access.policies import Access
from rollgraph.access.renewal import Renewal
from rollgraph.acting.actor import Acting
from rollgraph.acting.announcer import Announcer
from rollgraph.acting.patchers import Patchers
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.memory import MemoryAuditLog, MemoryMirror
from rollgraph.adapters.memory.budgets import MemoryBudgets
from rollgraph.adapters.policyfiles import PolicyFiles
from rollgraph.adapters.prometheus import Metrics
from rollgraph.adapters.prometheus.observers import Decisions, FollowedFeeds, Operations
from rollgraph.adapters.re2 import patterns
from rollgraph.core.audit import AuditEntry
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.ports import (
    AuditLog,
    Authority,
    Clock,
    Mirror,
    Newsroom,
    PolicyObserver,
    SpokeSource,
    Tracing,
)
from rollgraph.schema.context import About, Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.limits.bounds import Limits as Bounds
from rollgraph.schema.schema import Schema, build_schema, schema_hash
from rollgraph.server import graphiql, metering
from rollgraph.server.admission import Admission
from rollgraph.server.answers import Answers
from rollgraph.server.audittrail import AuditTrail, write
from rollgraph.server.auth import wiring
from rollgraph.server.auth.serviceaccounts import ServiceAccounts
from rollgraph.server.auth.wiring import Logins
from rollgraph.server.clusters import Clusters
from rollgraph.server.documents import wiring as documents
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.graphql import Endpoint
from rollgraph.server.hands import hands
from rollgraph.server.page import PAGE
from rollgraph.server.published import Published
from rollgraph.server.rates import Rates
from rollgraph.server.settings import Auth, AuthMode, Http, Limits, Settings
from rollgraph.server.settings import Rates as RateSettings
from rollgraph.server.sharing import Role, Shared, alone
from rollgraph.server.streams.asking import Asking
from rollgraph.server.streams.drain import Drain
from rollgraph.server.streams.lifetime import Lifetime
from rollgraph.server.streams.means import Means, Rules
from rollgraph.server.streams.places import Places
from rollgraph.server.streams.serving import Streams
from rollgraph.server.watching import Counted, watching, worker
from rollgraph.server.working import Working


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


def services(
    settings: Settings,
    spokes: SpokeSource,
    argocd: ArgoCd | None = None,
    shared: Shared | None = None,
    role: Role = Role.SERVE,
    tracing: Tracing | None = None,
) -> Services:
    """Puts everything together.

    Args:
        settings: What the operator set.
        spokes: Where the spokes come from.
        argocd: The Argo CD that is taken over, if one is.
        shared: What it shares with other processes; nothing by default.
        role: Whether it watches, too.
        tracing: Follows work; by default nobody does.
    """
    clock = SystemClock()
    tracing = tracing or Tracing()
    shared = shared or alone(clock)
    mirror = MemoryMirror(clock)
    metrics, operations = _counted(settings, mirror, clock, role)
    bundle = graphiql.load() if settings.http.graphiql else None
    audit = AuditTrail(_audit(settings, shared, clock), [write])
    decides = access(settings, argocd, audit.record, Decisions(metrics))
    acting = hands(
        settings.acting,
        spokes,
        mirror,
        mirror,
        shared.receipts,
        clock,
        audit.record,
        shared.tickets,
        tracing,
    )
    reviewer = _reviewer(settings.auth, acting.patchers, clock)
    rights = decides.rights if decides else Everything
    logins = wiring.logins(settings, clock, rights, reviewer, audit.record, shared.sessions)
    announcer = Announcer(acting.patchers.create_event)
    if settings.audit.events:
        audit.tell(announcer.announce)
    audit.tell(metering.acted(operations))
    schema = build_schema(bounds(settings.limits), operations, tracing)
    feeds = FollowedFeeds(metrics, clock)
    fanout = FanOut(acting.projection, mirror, observer=feeds)
    fragments, answers = FragmentCache(), Answers(lambda: mirror.version)
    context = _context(settings, mirror, clock, acting.actor, audit, fanout, decides, fragments)
    trusted = documents.trusted(settings.documents, schema.complaints)
    found = documents.persisted(settings.documents, shared.documents, trusted)
    admission = Admission(schema, _rates(settings.rates, shared), found)
    asking = _asking(settings.limits, schema, context, admission, operations, tracing)
    means = _means(settings, asking, clock)
    counted = Counted(metrics, tracing)
    watched = watching(role, settings.workers, acting.spokes, shared, mirror, clock, counted)
    follower = Follower(shared.broker, fanout, watched.exists, feeds, tracing)
    metering.following(metrics, follower, fanout, feeds)
    metering.caches(metrics, answers, fragments)
    metering.streams(metrics, means.places.by_transport)
    metering.callers(metrics, decides, logins.ages)
    metering.announcing(metrics, announcer)
    return Services(
        settings=settings,
        mirror=mirror,
        endpoint=Endpoint(
            schema,
            context,
            answers,
            _visit(settings.http, bundle),
            streams=Streams(means, logins.identify, logins.of_init),
            identify=logins.identify,
            admission=admission,
            longest_body=settings.limits.body,
            timeout=settings.limits.timeout,
            action_timeout=settings.limits.action_timeout,
        ),
        watch=_together(
            watched.run,
            follower.run,
            *shared.beside,
            *([argocd.run] if argocd is not None else []),
            *([Renewal(decides, fanout.nudge).run] if decides is not None else []),
            *([trusted.run] if trusted is not None else []),
        ),
        graphiql=bundle,
        published=Published(logins.identify, hidden=not settings.limits.introspection),
        behind=argocd.behind if argocd is not None else None,
        access=decides,
        trusted=trusted,
        logins=logins,
        announce=announcer.run,
        drain=means.drain,
        metrics=metrics,
        tracing=tracing,
    )


def trusted(settings: Settings) -> Trusted | None:
    """The trusted documents by themselves, to see whether they fit; None where there are none."""
    schema = build_schema(bounds(settings.limits))
    return documents.trusted(settings.documents, schema.complaints)


def working(
    settings: Settings, clusters: Clusters, shared: Shared, tracing: Tracing | None = None
) -> Working:
    """What a process is made of that only watches."""
    assert shared.leases is not None, "a worker shares Redis with others"
    clock = SystemClock()
    metrics = Metrics()
    metering.process(metrics, Role.WORKER)
    run, shift = worker(
        settings.workers,
        clusters.spokes,
        shared.broker,
        shared.leases,
        clock,
        Counted(metrics, tracing or Tracing()),
    )
    argocd = clusters.argocd
    beside = [argocd.run] if argocd is not None else []
    return Working(shift, _together(run, *beside), metrics, settings.http.stuck_after)


def _counted(
    settings: Settings, mirror: Mirror, clock: Clock, role: Role
) -> tuple[Metrics, Operations]:
    """Where it is counted what a process does that answers."""
    metrics = Metrics()
    metering.process(metrics, role)
    patience = timedelta(seconds=settings.spokes.stale_after)
    metering.model(metrics, mirror, clock, patience)
    return metrics, Operations(metrics)


def _reviewer(settings: Auth, patchers: Patchers, clock: Clock) -> ServiceAccounts | None:
    """Knows service accounts; None where their tokens are not taken."""
    if not settings.service_accounts:
        return None
    audiences = settings.service_account_audiences
    return ServiceAccounts(patchers, settings.service_accounts, audiences, clock)


def _audit(settings: Settings, shared: Shared, clock: Clock) -> AuditLog:
    """Where rows of the audit are kept."""
    return shared.audit or MemoryAuditLog(clock, max_rows=settings.audit.rows)


def _together(*parts: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Runs all parts; none ends by itself, and if one does or fails, so do the others."""

    async def run() -> None:
        async with anyio.create_task_group() as tasks:

            async def to_the_end(part: Callable[[], Awaitable[None]]) -> None:
                await part()
                tasks.cancel_scope.cancel()

            for part in parts:
                tasks.start_soon(to_the_end, part)

    return run


def access(
    settings: Settings,
    argocd: ArgoCd | None = None,
    record: Callable[[AuditEntry], object] = lambda _: None,
    observer: PolicyObserver | None = None,
) -> Access | None:
    """Who may see and do what; None where nobody logs in.

    A policy of our own goes before Argo CD's: its files were named on purpose.
    """
    if settings.auth.mode is AuthMode.NONE:
        return None
    policy = settings.policy
    if argocd is not None and not policy.files:
        return Access(argocd.policies, patterns, argocd.ownership, record, observer)
    files = PolicyFiles(policy.files, policy.default_role, policy.match_mode)
    return Access(files, patterns, record=record, observer=observer)


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


def _context(
    settings: Settings,
    mirror: Mirror,
    clock: Clock,
    actor: Acting,
    audit: AuditLog,
    news: Newsroom,
    authority: Authority | None,
    fragments: FragmentCache,
) -> Callable[[str, Caller], Context]:
    patience = timedelta(seconds=settings.spokes.stale_after)
    about = About(version("rollgraph"), schema_hash(), bounds(settings.limits))

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
        actor=actor,
        audit=audit,
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
