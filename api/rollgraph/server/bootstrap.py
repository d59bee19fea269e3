"""From settings to everything that runs: the only place where adapters are chosen."""

import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
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
from rollgraph.adapters.kubernetes.argocd.access import HubOpening, context_entry, pod_entry
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.adapters.kubernetes.kubeconfig import Entry
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.adapters.memory import MemoryAuditLog, MemoryMirror
from rollgraph.adapters.policyfiles import PolicyFiles
from rollgraph.adapters.re2 import patterns
from rollgraph.core.audit import AuditEntry
from rollgraph.core.errors import ConfigError
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.ports import AuditLog, Authority, Clock, Mirror, Newsroom, SpokeSource
from rollgraph.schema.context import About, Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.limits.bounds import Limits as Bounds
from rollgraph.schema.schema import build_schema, schema_hash
from rollgraph.server import graphiql
from rollgraph.server.answers import Answers
from rollgraph.server.audittrail import AuditTrail, write
from rollgraph.server.auth import wiring
from rollgraph.server.auth.serviceaccounts import ServiceAccounts
from rollgraph.server.auth.wiring import Logins
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.graphql import Endpoint
from rollgraph.server.hands import hands
from rollgraph.server.page import PAGE
from rollgraph.server.settings import Auth, AuthMode, Http, Limits, Settings, Spokes
from rollgraph.server.sharing import Role, Shared, alone
from rollgraph.server.streams.asking import Asking
from rollgraph.server.streams.drain import Drain
from rollgraph.server.streams.lifetime import Lifetime
from rollgraph.server.streams.means import Means, Rules
from rollgraph.server.streams.places import Places
from rollgraph.server.streams.serving import Streams
from rollgraph.server.watching import watching, worker
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
        logins: Who asks; None if nobody is asked who they are.
        announce: Tells clusters what was done, until cancelled; it needs `watch` for that.
        drain: Ends streams before the process does.
        graphiql: What the page for people loads; None if there is no such page.
        behind: What of Argo CD is not kept up at present; None if there is no Argo CD.
    """

    settings: Settings
    mirror: Mirror
    endpoint: ASGIApp
    watch: Callable[[], Awaitable[None]]
    graphiql: Graphiql | None = None
    behind: Callable[[], Sequence[str]] | None = None
    access: Access | None = None
    logins: Logins | None = None
    announce: Callable[[], Coroutine[Any, Any, None]] = anyio.sleep_forever
    drain: Drain = field(default_factory=Drain)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which clusters there are.

    Attributes:
        names: Their names at the start.
        spokes: Where they come from.
        argocd: The Argo CD that is taken over; None if there is none.
    """

    names: Sequence[str]
    spokes: SpokeSource
    argocd: ArgoCd | None = None


async def clusters(settings: Settings, environ: Mapping[str, str]) -> Clusters:
    """Where the clusters come from, once that could be read.

    Raises `ConfigError`, which begins with the setting, if it cannot be read.
    """
    adopted = argocd(settings, environ)
    if adopted is not None:
        where = "argocd.namespace (--argocd-namespace)"
        return Clusters(await spoke_names(adopted.spokes, where), adopted.spokes, adopted)
    spokes = source(settings.spokes, environ)
    return Clusters(await spoke_names(spokes), spokes)


async def with_logins(settings: Settings, argocd: ArgoCd | None) -> Settings:
    """The settings, with whom Argo CD trusts for its people where they name nobody.

    Raises `ConfigError` if Argo CD's word makes no sense.
    """
    named = settings.oidc.issuer or settings.auth.issuers
    if argocd is None or settings.auth.mode is AuthMode.NONE or named:
        return settings
    found, ours = await argocd.login(), settings.oidc
    if found is None:
        return settings
    audiences = (*found.audiences, ours.client_id, ours.cli_client_id)
    told = {
        "issuer": found.issuer,
        "audiences": ours.audiences or tuple(filter(None, dict.fromkeys(audiences))),
        "username_claim": found.username_claim,
        "groups_claims": found.groups_claims,
        "cli_client_id": ours.cli_client_id or found.cli_client,
        "scopes": found.scopes,
        "ca": ours.ca or found.root_ca,
    }
    return settings.model_copy(update={"oidc": ours.model_copy(update=told)})


def source(settings: Spokes, environ: Mapping[str, str]) -> SpokeSource:
    """Where the spokes come from."""
    return KubeconfigSource(
        settings.kubeconfig or default_kubeconfig(environ),
        contexts=settings.contexts,
        exec_allow=settings.exec_allow,
        namespaces=settings.namespaces,
    )


def argocd(settings: Settings, environ: Mapping[str, str]) -> ArgoCd | None:
    """The Argo CD that is taken over, if one is; nothing is read yet.

    Raises `ConfigError` for settings that contradict each other.
    """
    given, spokes = settings.argocd, settings.spokes
    if not given.namespace:
        if given.context or given.application_namespaces:
            raise ConfigError("argocd.namespace (--argocd-namespace): expected Argo CD's namespace")
        return None
    if spokes.contexts:
        raise ConfigError(
            "spokes.contexts (--context): expected none, for the clusters are those that Argo CD"
            " knows; the context of Argo CD's own is argocd.context (--argocd-context)"
        )
    files = spokes.kubeconfig or default_kubeconfig(environ)

    def found() -> Entry:
        return context_entry(files, given.context) if given.context else pod_entry(environ)

    opening = HubOpening(found, spokes.exec_allow)
    hub = Hub(opening, given.namespace, applications=given.application_namespaces)
    known = ArgoCdSource(hub, found, exec_allow=spokes.exec_allow, namespaces=spokes.namespaces)
    return ArgoCd(hub, known)


def default_kubeconfig(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that kubectl reads when it is given none."""
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(Path(part) for part in listed) or (Path("~/.kube/config").expanduser(),)


async def spoke_names(
    spokes: SpokeSource, setting: str = "spokes.kubeconfig (--kubeconfig)"
) -> Sequence[str]:
    """The names of the spokes that there are now.

    Raises `ConfigError`, which begins with the setting, if the source cannot be read.
    """
    try:
        async with spokes.watch() as answers:
            async for answer in answers:
                return [spoke.name for spoke in answer]
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error}") from error
    return []


def services(
    settings: Settings,
    spokes: SpokeSource,
    argocd: ArgoCd | None = None,
    shared: Shared | None = None,
    role: Role = Role.SERVE,
) -> Services:
    """Puts everything together.

    Args:
        settings: What the operator set.
        spokes: Where the spokes come from.
        argocd: The Argo CD that is taken over, if one is.
        shared: What it shares with other processes; nothing by default.
        role: Whether it watches, too.
    """
    clock = SystemClock()
    shared = shared or alone(clock)
    mirror = MemoryMirror(clock)
    bundle = graphiql.load() if settings.http.graphiql else None
    audit = AuditTrail(MemoryAuditLog(clock, max_rows=settings.audit.rows), [write])
    decides = access(settings, argocd, audit.record)
    acting = hands(
        settings.acting,
        spokes,
        mirror,
        mirror,
        shared.receipts,
        clock,
        audit.record,
        shared.tickets,
    )
    reviewer = _reviewer(settings.auth, acting.patchers, clock)
    rights = decides.rights if decides else Everything
    logins = wiring.logins(settings, clock, rights, reviewer, audit.record, shared.sessions)
    announcer = Announcer(acting.patchers.create_event)
    if settings.audit.events:
        audit.tell(announcer.announce)
    schema = build_schema(bounds(settings.limits))
    fanout = FanOut(acting.projection, mirror)
    context = _context(settings, mirror, clock, acting.actor, audit, fanout, decides)
    asking = Asking(schema, context, settings.limits.timeout, settings.limits.action_timeout)
    means = _means(settings, asking, clock)
    watched = watching(role, settings.workers, acting.spokes, shared, mirror, clock)
    return Services(
        settings=settings,
        mirror=mirror,
        endpoint=Endpoint(
            schema,
            context,
            Answers(lambda: mirror.version),
            _visit(settings.http, bundle),
            streams=Streams(means, logins.identify, logins.of_init),
            identify=logins.identify,
            longest_body=settings.limits.body,
            timeout=settings.limits.timeout,
            action_timeout=settings.limits.action_timeout,
        ),
        watch=_together(
            watched.run,
            Follower(shared.broker, fanout, watched.exists).run,
            *([argocd.run] if argocd is not None else []),
            *([Renewal(decides, fanout.nudge).run] if decides is not None else []),
        ),
        graphiql=bundle,
        behind=argocd.behind if argocd is not None else None,
        access=decides,
        logins=logins,
        announce=announcer.run,
        drain=means.drain,
    )


def working(settings: Settings, clusters: Clusters, shared: Shared) -> Working:
    """What a process is made of that only watches."""
    assert shared.leases is not None, "a worker shares Redis with others"
    clock = SystemClock()
    run, shift = worker(settings.workers, clusters.spokes, shared.broker, shared.leases, clock)
    argocd = clusters.argocd
    beside = [argocd.run] if argocd is not None else []
    return Working(shift, _together(run, *beside))


def _reviewer(settings: Auth, patchers: Patchers, clock: Clock) -> ServiceAccounts | None:
    """Knows service accounts; None where their tokens are not taken."""
    if not settings.service_accounts:
        return None
    audiences = settings.service_account_audiences
    return ServiceAccounts(patchers, settings.service_accounts, audiences, clock)


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
) -> Access | None:
    """Who may see and do what; None where nobody logs in.

    A policy of our own goes before Argo CD's: its files were named on purpose.
    """
    if settings.auth.mode is AuthMode.NONE:
        return None
    policy = settings.policy
    if argocd is not None and not policy.files:
        return Access(argocd.policies, patterns, argocd.ownership, record)
    files = PolicyFiles(policy.files, policy.default_role, policy.match_mode)
    return Access(files, patterns, record=record)


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
) -> Callable[[str, Caller], Context]:
    patience = timedelta(seconds=settings.spokes.stale_after)
    about = About(version("rollgraph"), schema_hash(), bounds(settings.limits))
    fragments = FragmentCache()

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
