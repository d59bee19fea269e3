"""From settings to all that knows callers: bootstrap's part for logins."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import HTTPConnection
from starlette.routing import Route

from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.adapters.memory.sessions import MemorySessions
from rollgraph.adapters.oidc import fetching
from rollgraph.adapters.oidc.relyingparty import Client, RelyingParty
from rollgraph.adapters.oidc.verifier import OidcVerifier
from rollgraph.core.audit import AuditEntry
from rollgraph.core.claims import Profile
from rollgraph.core.errors import ConfigError
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock, Rights, SessionStore, TokenVerifier
from rollgraph.server.auth import agreements
from rollgraph.server.auth.browsers import Browsers, Lifetime
from rollgraph.server.auth.callers import Callers
from rollgraph.server.auth.origins import Origins, loopback
from rollgraph.server.auth.routes import CommandLine, Door, no_session
from rollgraph.server.auth.sealing import sealing
from rollgraph.server.auth.verifiers import Verifiers
from rollgraph.server.settings import AuthMode, Oidc, Settings


@dataclass(frozen=True, slots=True)
class Logins:
    """What knows callers.

    Attributes:
        identify: Tells whose a request is; see `Callers.caller`.
        of_init: Tells whom a WebSocket's `connection_init` names; see `Callers.of_init`.
        routes: What is served for it.
        beside: What must run beside it.
        ages: Tells how old the keys of each issuer are, in seconds.
    """

    identify: Callable[[HTTPConnection], Awaitable[Caller]]
    of_init: Callable[[object], Awaitable[Caller | None]]
    routes: Sequence[Route] = ()
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    ages: Callable[[], Mapping[str, float]] = dict


def logins(
    settings: Settings,
    clock: Clock,
    rights: Callable[[Viewer], Rights],
    reviewer: TokenVerifier | None = None,
    record: Callable[[AuditEntry], object] = lambda _: None,
    sessions: SessionStore | None = None,
) -> Logins:
    """Puts together what the settings ask for.

    Args:
        rights: What a viewer may do, by the policy of the moment.
        reviewer: Knows service accounts' tokens; None if they are not to be known.
        record: Tells the audit of logins and logouts.
        sessions: Where the logins of browsers are kept; in memory by default.

    Raises `ConfigError`.
    """
    session = Route("/auth/session", no_session, methods=["GET"])
    if settings.auth.mode is AuthMode.NONE:
        return Logins(_anybody, _anybody, [session])
    found = [provider for _, provider in agreements.providers(settings)]
    options = speaking(settings)
    issuers = [agreements.issuer(provider) for provider in found]
    verifier = OidcVerifier(issuers, options.__getitem__, clock)
    routes = [_told(provider).route() for provider in found if provider.cli_client_id][:1]
    browser = next((provider for provider in found if provider.client_id), None)
    verifiers = Verifiers(verifier, reviewer)
    if browser is None:
        callers = Callers(verifiers, rights)
        beside, ages = [verifier.run], verifier.ages
        return Logins(callers.caller, callers.of_init, [*routes, session], beside, ages)
    origins = Origins(settings.http.url)
    party = RelyingParty(
        agreements.issuer(browser), _client(browser), verifier, options[browser.issuer]
    )
    browsers = Browsers(
        sessions or MemorySessions(clock), party, origins, _lifetime(settings), clock
    )
    callers = Callers(verifiers, rights, browsers.identify)
    door = Door(browsers, party, origins, record)
    return Logins(
        callers.caller, callers.of_init, [*routes, *door.routes()], [verifier.run], verifier.ages
    )


def check(settings: Settings) -> None:
    """Raises `ConfigError` for what would keep `logins` from being put together."""
    speaking(settings)
    sealing(settings)
    for path, provider in agreements.providers(settings):
        _client(provider)
        if provider.client_id and not settings.http.url and not loopback(settings.http.host):
            raise ConfigError(
                f"http.url (--url): expected the URL at which people come, since {path}.client_id "
                "lets them log in with a browser, and it must know where to come back to"
            )


async def _anybody(_: object) -> Caller:
    return ANYBODY


def speaking(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """How to speak with each issuer."""
    options = {}
    for path, provider in agreements.providers(settings):
        fetching.check_url(provider.issuer, f"{path}.issuer")
        try:
            trust = fetching.trust(provider.ca_file, provider.ca)
        except ConfigError as error:
            key = "ca_file" if provider.ca_file is not None else "ca"
            raise ConfigError(f"{path}.{key}: {error}") from error
        options[provider.issuer] = fetching.options(provider.issuer, trust)
    if settings.http.url:
        fetching.check_url(settings.http.url, "http.url (--url)")
    return options


def _client(provider: Oidc) -> Client:
    secret = ""
    if (path := provider.client_secret_file) is not None:
        try:
            secret = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError(f"client_secret_file: {path} cannot be read: {reason}") from error
    return Client(provider.client_id, secret, provider.scopes, provider.resource)


def _told(provider: Oidc) -> CommandLine:
    access = provider.profile is Profile.RFC9068
    return CommandLine(
        provider.issuer,
        provider.cli_client_id,
        provider.scopes,
        "access_token" if access else "id_token",
        provider.resource,
    )


def _lifetime(settings: Settings) -> Lifetime:
    auth = settings.auth
    return Lifetime(timedelta(seconds=auth.session_idle), timedelta(seconds=auth.session_lifetime))
