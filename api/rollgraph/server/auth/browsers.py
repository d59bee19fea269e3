"""Logins of browsers: begun, found by a cookie, renewed ahead of time, ended."""

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import msgspec
import structlog
from starlette.requests import HTTPConnection

from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.session import Grant, Session
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock, LoginProvider, SessionStore
from rollgraph.server.auth import forgery
from rollgraph.server.auth.cookies import Cookies
from rollgraph.server.auth.flights import Flights
from rollgraph.server.auth.origins import Origins

_log = structlog.get_logger(__name__)

# How long before its end a grant is renewed. Providers' last 5 minutes and more.
AHEAD = timedelta(seconds=60)
# How exactly the time of the last use is kept: not each question writes.
TOUCH = timedelta(seconds=60)


class Lifetime(msgspec.Struct, frozen=True):
    """When a login ends by itself: after so long without a question, and in any case."""

    idle: timedelta
    most: timedelta

    def end(self, session: Session) -> datetime:
        """When that is if nothing more happens."""
        return min(session.used + self.idle, session.begun + self.most)


class Browsers:
    """The logins.

    Args:
        store: Where they are kept.
        provider: Where people log in.
        origins: Tells our own origin.
        lifetime: When they end.
        clock: Tells the time.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: LoginProvider,
        origins: Origins,
        lifetime: Lifetime,
        clock: Clock,
    ) -> None:
        self._store = store
        self._provider = provider
        self._origins = origins
        self._lifetime = lifetime
        self._clock = clock
        self._renewals = Flights()

    async def begin(self, grant: Grant) -> str:
        """Begins a login; its name, which is the cookie's value. Always a new one: a name that
        was there before the login may be known to whoever put it there.
        """
        name = secrets.token_urlsafe(32)
        now = self._clock.now()
        session = Session(grant, secrets.token_urlsafe(32), now, now)
        await self._store.put(_key(name), session, self._lifetime.end(session))
        return name

    async def identify(self, connection: HTTPConnection) -> tuple[Viewer, str] | None:
        """Whose request it is by its cookie, and their ID token; None if there is no login.

        Raises starlette's `HTTPException` for what another site may have sent,
        `UnauthenticatedViewerError` for a login that has ended, and `IdentityProviderError`
        if one has to be renewed and cannot.
        """
        session = await self.session(connection)
        if session is None:
            return None
        forgery.check(connection, self._origins.ours(connection), session.csrf)
        session = await self._alive(self._name(connection), session)
        # The ID token told who it is when they logged in, and may have expired since: the login is
        # ours, and ends when we say.
        ends = self._lifetime.end(session)
        return msgspec.structs.replace(
            session.grant.viewer, expires_at=ends
        ), session.grant.id_token

    async def session(self, connection: HTTPConnection) -> Session | None:
        """The login that a request's cookie names."""
        name = self._name(connection)
        return await self._store.get(_key(name)) if name else None

    async def end(self, connection: HTTPConnection) -> None:
        """Ends the login that a request's cookie names."""
        if name := self._name(connection):
            await self._store.drop(_key(name))

    def _name(self, connection: HTTPConnection) -> str:
        # Without a cookie of ours at all, nobody need know where we are.
        if not connection.cookies:
            return ""
        return connection.cookies.get(Cookies(self._origins.ours(connection)).session, "")

    async def _alive(self, name: str, session: Session) -> Session:
        key, now = _key(name), self._clock.now()
        if session.grant.until - AHEAD <= now:
            session = await self._renewed(key, session)
        if now - session.used >= TOUCH:
            session = replace(session, used=now)
            await self._store.put(key, session, self._lifetime.end(session))
        return session

    async def _renewed(self, key: str, seen: Session) -> Session:
        """A login with a newer grant. One request asks for it, the others wait: many providers
        take a refresh token once, and end all of the login if it comes again.
        """
        async with self._renewals.one(key), self._store.turn(key):
            session = await self._store.get(key)
            if session is None:
                raise UnauthenticatedViewerError("the login has ended; log in again")
            return session if session.grant != seen.grant else await self._renew(key, session)

    async def _renew(self, key: str, session: Session) -> Session:
        try:
            if not session.grant.refresh_token:
                raise UnauthenticatedViewerError("the login has ended; log in again")
            # Whoever asked may go away: a refresh token that was used and whose answer is lost
            # would end the login.
            with anyio.CancelScope(shield=True):
                grant = await self._provider.renew(session.grant)
                session = replace(session, grant=grant)
                await self._store.put(key, session, self._lifetime.end(session))
        except (UnauthenticatedViewerError, IdentityProviderError) as error:
            if session.grant.until > self._clock.now():
                return session  # it has not ended yet: the next request tries again
            if isinstance(error, UnauthenticatedViewerError):
                await self._store.drop(key)
                _log.info("login_ended", subject=session.grant.viewer.subject, reason=str(error))
            raise
        return session


def _key(name: str) -> str:
    """What a login is kept by: who reads the store cannot use what they find there."""
    return hashlib.sha256(name.encode()).hexdigest()
