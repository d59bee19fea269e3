"""From settings to everything that runs: the only place where adapters are chosen."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.access.policies import Access
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.policyfiles import PolicyFiles
from rollgraph.adapters.re2 import patterns
from rollgraph.core.errors import ConfigError
from rollgraph.ports import Clock, Mirror, SpokeSource
from rollgraph.schema.context import About, Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.limits.bounds import Limits as Bounds
from rollgraph.schema.schema import build_schema, schema_hash
from rollgraph.server import graphiql
from rollgraph.server.answers import Answers
from rollgraph.server.auth import wiring
from rollgraph.server.auth.wiring import Logins
from rollgraph.server.graphiql import Graphiql
from rollgraph.server.graphql import Endpoint
from rollgraph.server.page import PAGE
from rollgraph.server.settings import AuthMode, Http, Limits, Settings, Spokes
from rollgraph.spokes.supervisor import Supervisor


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
        graphiql: What the page for people loads; None if there is no such page.
    """

    settings: Settings
    mirror: Mirror
    endpoint: ASGIApp
    watch: Callable[[], Awaitable[None]]
    graphiql: Graphiql | None = None
    access: Access | None = None
    logins: Logins | None = None


def source(settings: Spokes, environ: Mapping[str, str]) -> SpokeSource:
    """Where the spokes come from."""
    return KubeconfigSource(
        settings.kubeconfig or default_kubeconfig(environ),
        contexts=settings.contexts,
        exec_allow=settings.exec_allow,
        namespaces=settings.namespaces,
    )


def default_kubeconfig(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that kubectl reads when it is given none."""
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(Path(part) for part in listed) or (Path("~/.kube/config").expanduser(),)


async def spoke_names(spokes: SpokeSource) -> Sequence[str]:
    """The names of the spokes that there are now.

    Raises `ConfigError` if the source cannot be read.
    """
    try:
        async with spokes.watch() as answers:
            async for answer in answers:
                return [spoke.name for spoke in answer]
    except ConfigError as error:
        raise ConfigError(f"spokes.kubeconfig (--kubeconfig): {error}") from error
    return []


def services(settings: Settings, spokes: SpokeSource) -> Services:
    """Puts everything together."""
    clock = SystemClock()
    mirror = MemoryMirror(clock)
    bundle = graphiql.load() if settings.http.graphiql else None
    decides = access(settings)
    logins = wiring.logins(settings, clock, decides.rights if decides else Everything)
    return Services(
        settings=settings,
        mirror=mirror,
        endpoint=Endpoint(
            build_schema(bounds(settings.limits)),
            _context(settings, mirror, clock),
            Answers(lambda: mirror.version),
            _visit(settings.http, bundle),
            identify=logins.identify,
            longest_body=settings.limits.body,
            timeout=settings.limits.timeout,
        ),
        watch=Supervisor(spokes, mirror, clock=clock).run,
        graphiql=bundle,
        access=decides,
        logins=logins,
    )


def access(settings: Settings) -> Access | None:
    """Who may see and do what; None where nobody logs in."""
    if settings.auth.mode is AuthMode.NONE:
        return None
    policy = settings.policy
    return Access(PolicyFiles(policy.files, policy.default_role, policy.match_mode), patterns)


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


def _context(settings: Settings, mirror: Mirror, clock: Clock) -> Callable[[str, Caller], Context]:
    patience = timedelta(seconds=settings.spokes.stale_after)
    about = About(version("rollgraph"), schema_hash(), bounds(settings.limits))
    fragments = FragmentCache()
    return lambda request_id, caller: Context(
        mirror, clock.now(), patience, request_id, about, fragments=fragments, caller=caller
    )


def _visit(settings: Http, bundle: Graphiql | None) -> Callable[[], Response]:
    """Makes what people get at /graphql."""
    if bundle is not None:
        return bundle.visit
    return graphiql.not_built if settings.graphiql else lambda: HTMLResponse(PAGE)
